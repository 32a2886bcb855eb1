//! The whole way of a debt request, against the simulator in this process.
//!
//! Run it with `cargo run -p gis-client --example roundtrip`; it needs nothing but this repository. It asks for the
//! subrequests page by page, uploads a court act, answers one request with "no debt" and one with a debtor, polls
//! for the results, reads the answers back, withdraws one and looks again. Every person in it is invented.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use chrono::{Days, TimeDelta, Utc};
use gis_client::cadence::PollSchedule;
use gis_client::debt_requests::{
    Acknowledgement, Action, AtLeastOne, Attachment, DebtDocument, Debtor, Dictionaries, ExportSubrequests,
    ExportVersion, Filter, ImportResponses, ItemResult, Period, Person, Response, ResponseStatus, Selection,
    State, Subrequest,
};
use gis_client::envelope::{Header, Sender};
use gis_client::files::FileUpload;
use gis_client::http::VerifyReplies;
use gis_client::ids::{ExecutorId, MessageId, SubrequestId, TransportId};
use gis_client::signature::CertificateDigest;
use gis_client::signer::KeyPairSigner;
use gis_client::text::{AttachmentDescription, AttachmentName, Comment, PersonName, Snils};
use gis_client::{Call, Gis, HttpGis, HttpSettings, UploadedFile, Verdict};
use gis_sim::{Config, Sim};
use gost::{Certificate, KeyPair, ParameterSet, PrivateKey};
use uuid::Uuid;

type Outcome<T> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let mut config = Config::default();
    config.scenario.timing.poll_ready = Duration::from_millis(300);
    let sim = Sim::start(config)?;
    let session = Session::new(&sim.base_url(), CertificateDigest::of(sim.certificate()))?;
    println!("simulator of GIS ZhKH at {}", sim.base_url());
    println!("probe: HTTP {}", session.gis.probe().await?.status);

    let waiting = session.unanswered().await?;
    let [without_debt, with_debt, ..] = waiting.as_slice() else {
        return Err("the simulator has fewer than two unanswered subrequests".into());
    };
    let file = session.upload_court_act().await?;
    session.import("no debt", vec![send(without_debt.id, no_debt(session.executor)?)]).await?;
    session.import("debt   ", vec![send(with_debt.id, debt(session.executor, &file)?)]).await?;

    println!("\nwhat GIS holds now:");
    let ids = vec![without_debt.id, with_debt.id];
    session.show(&ids).await?;
    let content = session.gis.download_file(session.sender.organization, file.id, 1024, None).await?;
    let same = gost::hash::gost94(&content) == file.hash;
    println!(
        "  file {}: {} bytes read back, hash {}",
        file.id,
        content.len(),
        if same { "agrees" } else { "differs" }
    );

    println!();
    let (transport, subrequest) = (TransportId::generate(), without_debt.id);
    session.import("revoke ", vec![Action::Revoke { transport, subrequest }]).await?;
    println!("\nwhat GIS holds now:");
    session.show(&ids).await?;
    sim.stop().await;
    Ok(())
}

/// One organisation's work with GIS.
struct Session {
    gis: HttpGis,
    sender: Sender,
    executor: ExecutorId,
    schedule: PollSchedule,
}

impl Session {
    fn new(base_url: &str, signer_of_gis: CertificateDigest) -> Outcome<Self> {
        let key = PrivateKey::generate(ParameterSet::CryptoProA)?;
        let now = Utc::now();
        let certificate = Certificate::self_signed(
            &key,
            "Test signer",
            now - TimeDelta::days(1),
            now + TimeDelta::days(1),
        )?;
        let settings = HttpSettings {
            verify_replies: VerifyReplies::Require,
            reply_signers: vec![signer_of_gis],
            ..HttpSettings::new(base_url)
        };
        Ok(Self {
            gis: HttpGis::new(settings)?,
            sender: Sender {
                organization: Uuid::new_v4().into(),
                signer: Arc::new(KeyPairSigner::new(KeyPair::new(key, certificate)?)),
                operator_signature: true,
                creators: Vec::new(),
            },
            executor: Uuid::new_v4().into(),
            // The real one begins with 10 s; the simulator needs no politeness.
            schedule: PollSchedule::new(vec![Duration::from_millis(200), Duration::from_millis(500)])?,
        })
    }

    /// A new call. The gateway commits its MessageGUID to the database at this point.
    fn call(&self) -> Call {
        let header = Header { message: MessageId::generate(), sent_at: Utc::now().fixed_offset() };
        Call { sender: self.sender.clone(), header, not_after: None, recorder: None }
    }

    /// Every subrequest of the last month without an answer, page by page.
    async fn unanswered(&self) -> Outcome<Vec<Subrequest>> {
        let tomorrow = Utc::now().date_naive() + Days::new(1);
        let mut filter = Filter::new(Period::new(tomorrow - Days::new(30), tomorrow)?);
        filter.response_statuses = vec![ResponseStatus::NotSent];
        let version = ExportVersion::V13_1_10_1;
        let mut request = ExportSubrequests::new(version, Selection::Filter(filter), false)?;
        let mut found = Vec::new();
        for number in 1.. {
            let acknowledgement = self.gis.export_debt_subrequests(&self.call(), &request).await?;
            let page = self.result(acknowledgement, State::into_page).await?;
            println!("page {number}: {} subrequests", page.subrequests.len());
            found.extend(page.subrequests);
            match page.next {
                Some(next) => request = request.with_page(next)?,
                None => break,
            }
        }
        Ok(found)
    }

    async fn upload_court_act(&self) -> Outcome<UploadedFile> {
        let organization = self.sender.organization;
        let content = "an invented court act".into();
        let file = FileUpload { organization, extension: "pdf".parse()?, content };
        let uploaded = self.gis.upload_file(&file, None, None).await?;
        println!("uploaded file {}", uploaded.id);
        Ok(uploaded)
    }

    /// Sends a package and prints the result of each action.
    async fn import(&self, title: &str, actions: Vec<Action>) -> Outcome<()> {
        let acknowledgement =
            self.gis.import_responses(&self.call(), &ImportResponses::new(actions)?).await?;
        for item in self.result(acknowledgement, State::into_import_results).await? {
            let words = match item.result {
                ItemResult::Ok { .. } => "done".to_owned(),
                ItemResult::Errors(errors) => {
                    let words =
                        errors.iter().map(|error| format!("{} {}", error.gis_code(), error.description));
                    words.collect::<Vec<_>>().join("; ")
                }
                ItemResult::Unclear => "unclear".to_owned(),
            };
            println!("{title}: message {}: {words}", acknowledgement.message);
        }
        Ok(())
    }

    /// Polls until there is a result.
    async fn result<T>(
        &self,
        acknowledgement: Acknowledgement,
        judge: fn(State) -> Verdict<T>,
    ) -> Outcome<T> {
        for polls in 0.. {
            tokio::time::sleep(self.schedule.wait(polls)).await;
            match judge(self.gis.get_state(&self.call(), acknowledgement.message).await?) {
                Verdict::Pending => {}
                Verdict::Done(result) => return Ok(result),
                Verdict::Failed(error) => {
                    return Err(format!("{}: {}", error.gis_code(), error.description).into());
                }
                Verdict::Unclear => return Err("GIS says neither yes nor no".into()),
            }
        }
        Err("GIS gave no result".into())
    }

    /// Prints what GIS holds of some subrequests, answers included.
    async fn show(&self, ids: &[SubrequestId]) -> Outcome<()> {
        let selection = Selection::Subrequests(ids.to_vec());
        let request = ExportSubrequests::new(ExportVersion::V13_1_10_1, selection, true)?;
        let acknowledgement = self.gis.export_debt_subrequests(&self.call(), &request).await?;
        for subrequest in self.result(acknowledgement, State::into_page).await?.subrequests {
            let number = subrequest.request.number.unwrap_or_default();
            let status = subrequest.response_status.as_ref().map_or("?", ResponseStatus::as_str);
            let answer = match subrequest.response {
                None => "no answer".to_owned(),
                Some(answer) => match answer.has_debt {
                    Some(true) => format!("debt of {} person(s)", answer.debtors.len()),
                    Some(false) => "no debt".to_owned(),
                    None => "an answer that says nothing".to_owned(),
                },
            };
            println!("  request {number}: {status}, {answer}");
        }
        Ok(())
    }
}

fn send(subrequest: SubrequestId, response: Response) -> Action {
    Action::Send { transport: TransportId::generate(), subrequest, response }
}

fn no_debt(executor: ExecutorId) -> Outcome<Response> {
    Ok(Response::NoDebt {
        comment: Some(Comment::parse("Задолженность отсутствует")?), executor
    })
}

fn debt(executor: ExecutorId, file: &UploadedFile) -> Outcome<Response> {
    let person = Person {
        first_name: PersonName::parse("Пётр")?,
        last_name: PersonName::parse("Вымышленный")?,
        middle_name: None,
        snils: Some(Snils::parse("11223344595")?),
        document: None,
    };
    let attachment = Attachment {
        name: AttachmentName::parse("Судебный приказ.pdf")?,
        description: AttachmentDescription::blank(),
        id: file.id,
        hash: file.hash,
    };
    let kind = Dictionaries::default().debt_document("1").ok_or("no court act in dictionary 358")?.clone();
    let debtor = Debtor { person, documents: vec![DebtDocument { kind, attachment }] };
    Ok(Response::Debt {
        comment: None,
        executor,
        debtors: AtLeastOne::from(debtor),
        additional_files: Vec::new(),
    })
}
