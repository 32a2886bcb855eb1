//! The whole way over HTTP: whatever may be said comes back equal through client, wire, simulator, wire and client.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests fail by panics")]

mod legal;
#[path = "../messages/mod.rs"]
#[expect(dead_code, reason = "only the answers are of use here")]
mod messages;
#[path = "../senders/mod.rs"]
mod senders;

use std::time::Duration;

use chrono::{Days, Utc};
use gis_client::debt_requests::{
    Acknowledgement, Action, ExportSubrequests, ExportVersion, Filter, ImportResponses, ItemResult, Period,
    Response, ResponseStatus, Selection, State, Subrequest, SubrequestPage,
};
use gis_client::envelope::Header;
use gis_client::files::FileUpload;
use gis_client::http::VerifyReplies;
use gis_client::ids::{MessageId, SubrequestId, TransportId};
use gis_client::signature::CertificateDigest;
use gis_client::{Call, Gis, HttpGis, HttpSettings, UploadedFile, Verdict};
use gis_sim::{Config, Sim, SimHandle};
use gost::{ParameterSet, PrivateKey};
use legal::{as_exported, legalize};
use messages::responses;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config as Cases, TestRunner};
use senders::sender;
use tokio::runtime::Runtime;

/// A client and a simulator whose clock stands still and whose results are ready at once.
struct Exchange {
    runtime: Runtime,
    simulator: SimHandle,
    gis: HttpGis,
    call: Call,
}

impl Exchange {
    fn new() -> Self {
        let mut config = Config { frozen: true, ..Config::default() };
        config.scenario.timing.poll_ready = Duration::ZERO;
        let simulator = Sim::start(config).unwrap();
        let settings = HttpSettings {
            verify_replies: VerifyReplies::Require,
            reply_signers: vec![CertificateDigest::of(simulator.certificate())],
            ..HttpSettings::new(simulator.base_url())
        };
        let sender = sender(PrivateKey::generate(ParameterSet::Tc26A).unwrap());
        let header = Header { message: MessageId::generate(), sent_at: Utc::now().fixed_offset() };
        Self {
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
            simulator,
            gis: HttpGis::new(settings).unwrap(),
            call: Call { sender, header, not_after: None, recorder: None },
        }
    }

    fn call(&self) -> Call {
        let message = MessageId::generate();
        Call { header: Header { message, ..self.call.header }, ..self.call.clone() }
    }

    fn upload(&self, content: &'static [u8]) -> UploadedFile {
        let (organization, content) = (self.call.sender.organization, content.into());
        let file = FileUpload { organization, extension: "pdf".parse().unwrap(), content };
        self.runtime.block_on(self.gis.upload_file(&file, None, None)).unwrap()
    }

    fn result<T>(&self, acknowledgement: Acknowledgement, read: fn(State) -> Verdict<T>) -> T {
        let state = self.runtime.block_on(self.gis.get_state(&self.call(), acknowledgement.message)).unwrap();
        match read(state) {
            Verdict::Done(result) => result,
            Verdict::Failed(error) => panic!("{}: {}", error.code, error.description),
            Verdict::Pending | Verdict::Unclear => panic!("no result"),
        }
    }

    fn export(&self, request: &ExportSubrequests) -> SubrequestPage {
        let call = self.call();
        let taken = self.runtime.block_on(self.gis.export_debt_subrequests(&call, request)).unwrap();
        self.result(taken, State::into_page)
    }

    /// Ids of the first page of what waits for an answer.
    fn waiting(&self) -> Vec<SubrequestId> {
        let today = Utc::now().date_naive();
        let mut filter = Filter::new(Period::new(today - Days::new(60), today + Days::new(1)).unwrap());
        filter.response_statuses = vec![ResponseStatus::NotSent];
        let selection = Selection::Filter(filter);
        let request = ExportSubrequests::new(ExportVersion::V14_0_0_0, selection, false).unwrap();
        self.export(&request).subrequests.into_iter().map(|subrequest| subrequest.id).collect()
    }

    fn read(&self, ids: &[SubrequestId]) -> Vec<Subrequest> {
        let selection = Selection::Subrequests(ids.to_vec());
        let request = ExportSubrequests::new(ExportVersion::V13_1_10_1, selection, true).unwrap();
        let page = self.export(&request);
        assert!(page.unreadable.is_empty());
        page.subrequests
    }

    fn import(&self, actions: Vec<Action>) {
        let count = actions.len();
        let package = ImportResponses::new(actions).unwrap();
        let call = self.call();
        let taken = self.runtime.block_on(self.gis.import_responses(&call, &package)).unwrap();
        let results = self.result(taken, State::into_import_results);
        assert_eq!(results.len(), count);
        for item in results {
            assert!(matches!(item.result, ItemResult::Ok { .. }), "{:?}", item.result);
        }
    }
}

#[test]
fn any_legal_answer_comes_back_equal() {
    let exchange = Exchange::new();
    let files = [exchange.upload(b"an invented court act"), exchange.upload(b"another")];
    let waiting = exchange.waiting();
    let packages = prop_oneof![9 => vec(responses(), 1..6), 1 => vec(responses(), waiting.len())];
    let mut runner = TestRunner::new(Cases { cases: 60, failure_persistence: None, ..Cases::default() });
    let outcome = runner.run(&packages, |responses| {
        let sent: Vec<(SubrequestId, Response)> =
            waiting.iter().copied().zip(responses.into_iter().map(|r| legalize(r, &files))).collect();
        let send = |(subrequest, response): &(SubrequestId, Response)| Action::Send {
            transport: TransportId::generate(),
            subrequest: *subrequest,
            response: response.clone(),
        };
        exchange.import(sent.iter().map(send).collect());
        let ids: Vec<SubrequestId> = sent.iter().map(|(id, _)| *id).collect();
        let read = exchange.read(&ids);
        prop_assert_eq!(read.len(), sent.len());
        for (id, response) in sent {
            let subrequest = read.iter().find(|subrequest| subrequest.id == id).unwrap();
            prop_assert_eq!(&subrequest.broken_fields, &Vec::<&str>::new());
            let mut shown = subrequest.response.clone().unwrap();
            shown.executor.as_mut().unwrap().name = None;
            // Not by prop_assert_eq: Debug hides the very text that would differ.
            prop_assert!(shown == as_exported(&response), "an answer differs");
        }
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn the_simulator_holds_every_text_byte_for_byte() {
    let exchange = Exchange::new();
    let subrequest = exchange.waiting()[0];
    let comment = "Ёлка & <долг> \"'\r\n\t e\u{301} 👍 \u{85}\u{2028} конец ";
    let response = Response::NoDebt {
        comment: Some(gis_client::text::Comment::parse(comment).unwrap()),
        executor: uuid::Uuid::from_u128(5).into(),
    };
    exchange.import(vec![Action::Send { transport: TransportId::generate(), subrequest, response }]);
    let held = exchange.simulator.control().subrequest(subrequest.into()).unwrap().held;
    assert_eq!(held.answer.unwrap().description.as_deref(), Some(comment));
}

#[test]
fn a_withdrawn_answer_is_gone() {
    let exchange = Exchange::new();
    let subrequest = exchange.waiting()[0];
    let response = Response::NoDebt { comment: None, executor: uuid::Uuid::from_u128(5).into() };
    exchange.import(vec![Action::Send { transport: TransportId::generate(), subrequest, response }]);
    assert_eq!(exchange.read(&[subrequest])[0].response_status, Some(ResponseStatus::Sent));
    exchange.import(vec![Action::Revoke { transport: TransportId::generate(), subrequest }]);
    let read = exchange.read(&[subrequest]);
    assert_eq!((read[0].response_status.clone(), &read[0].response), (Some(ResponseStatus::NotSent), &None));
}
