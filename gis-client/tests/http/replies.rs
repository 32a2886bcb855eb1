//! Replies that say something: refusals, faults, states.

use super::*;

#[tokio::test]
async fn a_refusal_by_status_alone() {
    for (status, expected) in [
        (400, Refusal::Unexplained),
        (413, Refusal::Content),
        (415, Refusal::Unexplained),
        (401, Refusal::Authority),
        (403, Refusal::Authority),
    ] {
        let error = error_of_reply(status, "", "Bad Request").await;
        let Error::Refused { reason, .. } = &error else { panic!("{error:?}") };
        assert_eq!(*reason, expected, "{status}");
        assert_error!(error, Error::Refused { .. }, Fate::Refused, Repeat::InParts);
    }
}

#[tokio::test]
async fn a_fault_outweighs_the_status() {
    let again = Repeat::NewMessage { after: RESEND_AFTER_FAULT };
    for status in [200, 400, 404, 500, 503] {
        let error = error_of_reply(status, "", &fault("EXP001000")).await;
        assert_error!(error, Error::Fault(_), Fate::Unknown, again);
        let error = error_of_reply(status, "", &fault("FMT001300")).await;
        assert_error!(error, Error::Fault(_), Fate::Refused, Repeat::InParts);
        let error = error_of_reply(status, "", &fault("AUT011003")).await;
        assert_error!(error, Error::Fault(_), Fate::Refused, Repeat::InParts);
        let error = error_of_reply(status, "", &fault("XYZ009999")).await;
        assert_error!(error, Error::Fault(_), Fate::Unknown, LOOK);
    }
}

#[tokio::test]
async fn an_acknowledgement_outweighs_the_status() {
    let server = server(Manner::Reply(http(500, "", acknowledgement("")))).await;
    assert_eq!(import(settings(server.base_url())).await.unwrap().message, GIS_MESSAGE.parse().unwrap());
}

#[tokio::test]
async fn a_state_is_read_and_an_empty_export_is_an_empty_page() {
    let pending =
        state_of(state("<b:RequestState>1</b:RequestState>"), VerifyReplies::Require).await.unwrap();
    assert_eq!(pending.into_page(), Verdict::Pending, "what is not finished is not signed");

    let nothing = state(
        "<b:RequestState>3</b:RequestState><b:ErrorMessage><b:ErrorCode>INT002012</b:ErrorCode>\
         <b:Description>Нет объектов для экспорта</b:Description></b:ErrorMessage>",
    );
    let done = state_of(nothing, VerifyReplies::Warn).await.unwrap();
    let Verdict::Done(page) = done.into_page() else { panic!() };
    assert!(page.subrequests.is_empty() && page.next.is_none());
}

#[tokio::test]
async fn an_unsigned_result_counts_only_where_signatures_are_not_required() {
    let done = || state("<b:RequestState>3</b:RequestState>");
    for verify in [VerifyReplies::Off, VerifyReplies::Warn] {
        assert_eq!(state_of(done(), verify).await.unwrap().into_page(), Verdict::Unclear);
    }
    assert_error!(
        state_of(done(), VerifyReplies::Require).await.unwrap_err(),
        Error::Unreadable { reason: Unreadable::Signature, source: Some(_) },
        Fate::Unknown,
        LOOK
    );
}

#[tokio::test]
async fn a_signer_that_is_not_expected_counts_only_where_signatures_are_not_required() {
    let mut config = gis_sim::Config::default();
    config.scenario.timing.poll_ready = Duration::ZERO;
    let simulator = gis_sim::Sim::start(config).unwrap();
    let signer_of_gis = CertificateDigest::of(simulator.certificate());
    let other = CertificateDigest::of(sender().signer.certificate());
    let result = async |verify_replies, reply_signers| {
        let settings =
            HttpSettings { verify_replies, reply_signers, ..HttpSettings::new(simulator.base_url()) };
        let gis = HttpGis::new(settings).unwrap();
        let call = call();
        let taken = gis.export_debt_subrequests(&call, &export()).await.unwrap();
        let poll = Call { header: Header { message: MessageId::generate(), ..call.header }, ..call };
        gis.get_state(&poll, taken.message).await
    };
    for signers in [vec![], vec![signer_of_gis], vec![other, signer_of_gis]] {
        result(VerifyReplies::Require, signers).await.unwrap();
    }
    result(VerifyReplies::Warn, vec![other]).await.unwrap();
    let error = result(VerifyReplies::Require, vec![other]).await.unwrap_err();
    let Error::Unreadable { reason: Unreadable::Signature, source: Some(source) } = &error else {
        panic!("{error:?}")
    };
    assert!(source.to_string().contains(&signer_of_gis.to_string()), "{source}");
    assert_eq!((error.fate(), error.repeat()), (Fate::Unknown, LOOK));
}

#[tokio::test]
async fn the_state_of_another_message_leaves_doubt() {
    let other = state(&format!(
        "<b:RequestState>3</b:RequestState><b:MessageGUID>{}</b:MessageGUID>",
        Uuid::from_u128(77)
    ));
    assert_error!(
        state_of(other, VerifyReplies::Off).await.unwrap_err(),
        Error::Unreadable { reason: Unreadable::ForeignMessage, .. },
        Fate::Unknown,
        LOOK
    );
}
