//! Connections that break, replies without sense: the message may have been sent.

use super::*;

#[tokio::test]
async fn a_connection_that_closes_before_the_reply_leaves_doubt() {
    let error = error_of(Manner::Close(Vec::new())).await;
    assert!(error.is_outage());
    assert_error!(
        error,
        Error::MaybeSent { reason: MaybeSent::Closed, source: Some(_) },
        Fate::Unknown,
        LOOK
    );
}

#[tokio::test]
async fn a_connection_that_closes_within_the_reply_leaves_doubt() {
    for part in
        ["HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<s:Envelope"]
    {
        let error = error_of(Manner::Close(part.into())).await;
        assert_error!(error, Error::MaybeSent { reason: MaybeSent::Closed, .. }, Fate::Unknown, LOOK);
    }
}

#[tokio::test]
async fn a_reset_connection_leaves_doubt() {
    let error = error_of(Manner::Reset).await;
    assert_error!(error, Error::MaybeSent { reason: MaybeSent::Reset, .. }, Fate::Unknown, LOOK);
}

#[tokio::test]
async fn a_kept_connection_that_dies_leaves_doubt_and_is_not_repeated() {
    let ack = Manner::Reply(http(200, "", acknowledgement("")));
    let server = server_in_turn(vec![ack.clone(), Manner::Close(Vec::new()), ack]).await;
    let gis = HttpGis::new(settings(server.base_url())).unwrap();
    gis.import_responses(&call(), &no_debt()).await.unwrap();
    assert_error!(
        gis.import_responses(&call(), &no_debt()).await.unwrap_err(),
        Error::MaybeSent { reason: MaybeSent::Closed | MaybeSent::Reset, .. },
        Fate::Unknown,
        LOOK
    );
    assert_eq!(server.received().len(), 2, "the message was written once");
    gis.import_responses(&call(), &no_debt()).await.unwrap();
    let connections: Vec<_> = server.received().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [1, 1, 2], "the next call opens a new connection");
}

#[tokio::test]
async fn a_silent_far_end_is_left_after_the_timeout() {
    let server = server(Manner::Silent).await;
    let after = Duration::from_secs(1);
    let error = import(HttpSettings { timeout: after, ..settings(server.base_url()) }).await.unwrap_err();
    let Error::MaybeSent { reason, .. } = error else { panic!("{error:?}") };
    assert_eq!(reason, MaybeSent::Timeout { after });
    assert_eq!(server.received().len(), 1);
}

#[tokio::test]
async fn a_call_ends_with_its_lease() {
    let server = server(Manner::Silent).await;
    let gis = HttpGis::new(settings(server.base_url())).unwrap();
    let mut short = call();
    short.not_after = Some(Instant::now() + Duration::from_secs(1));
    assert_error!(
        gis.import_responses(&short, &no_debt()).await.unwrap_err(),
        Error::MaybeSent { reason: MaybeSent::Timeout { .. }, .. },
        Fate::Unknown,
        LOOK
    );
}

#[tokio::test]
async fn failures_of_servers_and_gateways_leave_doubt() {
    let page = "<html><head><title>Internal Server Error</title></head></html>";
    for status in [500, 501, 405] {
        let error = error_of_reply(status, "", page).await;
        assert_error!(error, Error::MaybeSent { reason: MaybeSent::Status { .. }, .. }, Fate::Unknown, LOOK);
    }
    for status in [502, 504] {
        let error = error_of_reply(status, "", page).await;
        assert_error!(error, Error::MaybeSent { reason: MaybeSent::Gateway { .. }, .. }, Fate::Unknown, LOOK);
    }
}

#[tokio::test]
async fn a_page_instead_of_a_message_leaves_doubt() {
    let error = error_of_reply(200, "", "<html><head><title>Технические работы</title></head></html>").await;
    assert!(error.is_outage());
    assert_error!(
        error,
        Error::Unreadable { reason: Unreadable::NotSoap, source: Some(_) },
        Fate::Unknown,
        LOOK
    );
}

#[tokio::test]
async fn an_empty_reply_leaves_doubt() {
    for body in ["", " \r\n"] {
        let error = error_of_reply(200, "", body).await;
        assert_error!(error, Error::Unreadable { reason: Unreadable::Empty, .. }, Fate::Unknown, LOOK);
    }
}

#[tokio::test]
async fn a_broken_message_leaves_doubt() {
    let whole = acknowledgement("");
    let (cut, _) = whole.split_at(whole.len() - 9);
    for body in [cut, &soap(""), &state("<b:RequestState>1</b:RequestState>")] {
        for status in [200, 400, 403, 404, 503] {
            let error = error_of_reply(status, "", body).await;
            assert_error!(error, Error::Unreadable { reason: Unreadable::Message, .. }, Fate::Unknown, LOOK);
        }
    }
}

#[tokio::test]
async fn a_reply_in_another_encoding_leaves_doubt() {
    let body = b"<?xml version=\"1.0\" encoding=\"windows-1251\"?><a>\xcf\xf0\xe8\xe2\xe5\xf2</a>";
    let error =
        error_of(Manner::Reply(http(200, "Content-Type: text/xml; charset=windows-1251\r\n", body))).await;
    assert_error!(error, Error::Unreadable { reason: Unreadable::Encoding, .. }, Fate::Unknown, LOOK);
}

#[tokio::test]
async fn a_reply_without_an_end_is_left_at_the_limit() {
    let open = "HTTP/1.1 200 OK\r\n\r\n<s:Envelope";
    let huge = "HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n<s:Envelope";
    for head in [open, huge] {
        let error = error_of(Manner::Endless(head.into())).await;
        assert_error!(
            error,
            Error::Unreadable { reason: Unreadable::TooLarge { limit: 65_536 }, .. },
            Fate::Unknown,
            LOOK
        );
    }
}

#[tokio::test]
async fn an_acknowledgement_has_a_limit_of_its_own() {
    let long = format!("{}{}", acknowledgement(""), " ".repeat(1024 * 1024));
    let server = server(Manner::Reply(http(200, "", long))).await;
    assert_error!(
        import(HttpSettings::new(server.base_url())).await.unwrap_err(),
        Error::Unreadable { reason: Unreadable::TooLarge { limit: 1_048_576 }, .. },
        Fate::Unknown,
        LOOK
    );
}

#[tokio::test]
async fn an_acknowledgement_of_another_message_leaves_doubt() {
    let error = error_of_reply(200, "", &acknowledgement(&Uuid::from_u128(77).to_string())).await;
    assert_error!(error, Error::Unreadable { reason: Unreadable::ForeignMessage, .. }, Fate::Unknown, LOOK);
}
