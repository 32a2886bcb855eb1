//! What goes out, and what surely does not.

use super::*;

#[tokio::test]
async fn a_message_goes_out_as_gis_wants_it() {
    let call = call();
    let ack = acknowledgement(&call.header.message.to_string());
    let server = server(Manner::Reply(http(200, "Content-Type: text/xml; charset=utf-8\r\n", ack))).await;
    let basic = BasicAuth { user: "sit".to_owned(), password: "pass".to_owned() };
    let gis = HttpGis::new(HttpSettings {
        host: Some("api.dom.gosuslugi.ru".to_owned()),
        basic: Some(basic),
        ..settings(format!("{}/tunnel/", server.base_url()))
    });
    let taken = gis.unwrap().import_responses(&call, &no_debt()).await.unwrap();
    assert_eq!(taken.message, GIS_MESSAGE.parse().unwrap());

    let requests = server.received();
    let [request] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!(request.target, format!("POST /tunnel{SERVICE}"));
    assert_eq!(header(request, "host"), Some("api.dom.gosuslugi.ru"));
    assert_eq!(header(request, "content-type"), Some("text/xml; charset=utf-8"));
    assert_eq!(header(request, "soapaction"), Some("\"urn:importResponses\""));
    assert_eq!(header(request, "content-length").unwrap(), request.body.len().to_string());
    assert_eq!(header(request, "authorization"), Some("Basic c2l0OnBhc3M="));
    assert!(header(request, "user-agent").unwrap().starts_with("debtgate/"));
    assert_eq!(header(request, "transfer-encoding"), None);
    assert!(String::from_utf8_lossy(&request.body).contains(&call.header.message.to_string()));
}

#[tokio::test]
async fn every_operation_has_its_action() {
    let server = server(Manner::Reply(http(200, "", acknowledgement("")))).await;
    let gis = HttpGis::new(settings(server.base_url())).unwrap();
    gis.export_debt_subrequests(&call(), &export()).await.unwrap();
    gis.import_responses(&call(), &no_debt()).await.unwrap();
    let message: GisMessageId = GIS_MESSAGE.parse().unwrap();
    assert_error!(
        gis.get_state(&call(), message).await.unwrap_err(),
        Error::Unreadable { reason: Unreadable::Message, .. },
        Fate::Unknown,
        LOOK
    );
    let actions: Vec<_> =
        server.received().iter().map(|request| header(request, "soapaction").unwrap().to_owned()).collect();
    assert_eq!(actions, ["\"urn:exportDebtSubrequests\"", "\"urn:importResponses\"", "\"urn:getState\""]);
    let connections: Vec<_> = server.received().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [1, 1, 1], "the connection is kept");
}

#[tokio::test]
async fn a_refused_connection_is_not_sent() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let free = listener.local_addr().unwrap();
    drop(listener);
    let error = import(settings(format!("http://{free}"))).await.unwrap_err();
    assert!(error.is_outage());
    assert!(error.to_string().contains("is the GOST tunnel"), "{error}");
    assert_error!(
        error,
        Error::NotSent { reason: NotSent::ConnectionRefused, source: Some(_) },
        Fate::NotSent,
        Repeat::Later { after: None }
    );
}

#[tokio::test]
async fn an_unknown_host_is_not_sent() {
    // A label of more than 63 letters: refused by the resolver without asking anybody.
    let host = "a".repeat(64);
    assert_error!(
        import(settings(format!("http://{host}.invalid:1"))).await.unwrap_err(),
        Error::NotSent { reason: NotSent::NameUnknown, source: Some(_) },
        Fate::NotSent,
        Repeat::Later { after: None }
    );
}

#[tokio::test]
async fn nothing_is_written_when_the_lease_is_over() {
    let server = server(Manner::Silent).await;
    let gis = HttpGis::new(settings(server.base_url())).unwrap();
    let late = Call { not_after: Some(Instant::now()), ..call() };
    assert_error!(
        gis.import_responses(&late, &no_debt()).await.unwrap_err(),
        Error::NotSent { reason: NotSent::LeaseOver, .. },
        Fate::NotSent,
        Repeat::Later { after: None }
    );
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn a_slow_signer_is_left_when_the_lease_ends() {
    let server = server(Manner::Silent).await;
    let gis = HttpGis::new(settings(server.base_url())).unwrap();
    let mut short = call();
    short.sender.signer = Arc::new(SlowSigner(short.sender.signer.certificate().clone()));
    short.not_after = Some(Instant::now() + Duration::from_millis(200));
    for result in
        [gis.import_responses(&short, &no_debt()).await, gis.export_debt_subrequests(&short, &export()).await]
    {
        assert_error!(
            result.unwrap_err(),
            Error::NotSent { reason: NotSent::LeaseOver, .. },
            Fate::NotSent,
            Repeat::Later { after: None }
        );
    }
    assert!(server.received().is_empty());
}

/// Asks somebody who does not answer.
struct SlowSigner(gost::Certificate);

#[async_trait::async_trait]
impl Signer for SlowSigner {
    fn certificate(&self) -> &gost::Certificate {
        &self.0
    }

    async fn sign(&self, _digest: &[u8; 32]) -> Result<gost::Signature, SignerError> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_message_that_cannot_be_signed_is_not_sent() {
    let server = server(Manner::Silent).await;
    let mut call = call();
    let settings = CommandSettings {
        program: "/nonexistent/sign".into(),
        arguments: Vec::new(),
        timeout: Duration::from_secs(60),
    };
    let certificate = call.sender.signer.certificate().clone();
    call.sender.signer = Arc::new(CommandSigner::new(settings, certificate));
    let gis = HttpGis::new(super::settings(server.base_url())).unwrap();
    let error = gis.import_responses(&call, &no_debt()).await.unwrap_err();
    assert!(!error.is_outage());
    assert_error!(
        error,
        Error::NotSent { reason: NotSent::Signature { .. }, source: Some(_) },
        Fate::NotSent,
        Repeat::AfterRepair
    );
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn a_wrong_address_is_not_sent() {
    for status in [301, 302, 308, 404] {
        let error = error_of_reply(status, "Location: http://127.0.0.1:1/\r\n", "<html>moved</html>").await;
        assert_error!(
            error,
            Error::NotSent { reason: NotSent::WrongAddress { .. }, .. },
            Fate::NotSent,
            Repeat::AfterRepair
        );
    }
}

#[tokio::test]
async fn a_busy_front_end_is_not_sent_unless_an_answer_is_withdrawn() {
    let after = Some(Duration::from_secs(90));
    for status in [429, 503] {
        let server = server(Manner::Reply(http(status, "Retry-After: 90\r\n", "<html>busy</html>"))).await;
        let usual = HttpGis::new(settings(server.base_url())).unwrap();
        assert_error!(
            usual.import_responses(&call(), &no_debt()).await.unwrap_err(),
            Error::NotSent { reason: NotSent::Busy { .. }, .. },
            Fate::NotSent,
            Repeat::Later { after }
        );
        assert_error!(
            usual.import_responses(&call(), &revoke()).await.unwrap_err(),
            Error::MaybeSent { reason: MaybeSent::Busy { .. }, .. },
            Fate::Unknown,
            Repeat::AfterLook { after }
        );
        let careful = HttpSettings { busy_means_not_sent: false, ..settings(server.base_url()) };
        assert_error!(
            import(careful).await.unwrap_err(),
            Error::MaybeSent { reason: MaybeSent::Busy { .. }, .. },
            Fate::Unknown,
            Repeat::AfterLook { after }
        );
    }
}

#[tokio::test]
async fn retry_after_can_be_a_date_by_the_servers_clock() {
    let headers = "Date: Sun, 15 Nov 2026 08:00:00 GMT\r\nRetry-After: Sun, 15 Nov 2026 08:05:00 GMT\r\n";
    let error = error_of_reply(503, headers, "").await;
    assert_eq!(error.repeat(), Repeat::Later { after: Some(Duration::from_secs(300)) });
}

#[tokio::test]
async fn a_probe_is_a_harmless_question_that_any_answer_settles() {
    for status in [200, 403, 404, 405, 500] {
        let server = server(Manner::Reply(http(status, "", "<wsdl/>"))).await;
        let gis = HttpGis::new(settings(server.base_url())).unwrap();
        assert_eq!(gis.probe().await.unwrap().status, status);
        assert_eq!(server.received().first().unwrap().target, format!("GET {SERVICE}?wsdl"));
    }
    let dated = http(200, "Date: Sun, 15 Nov 2026 08:00:00 GMT\r\n", "<wsdl/>");
    for (reply, date) in [(dated, Some("2026-11-15T08:00:00Z".parse().unwrap())), (http(200, "", ""), None)] {
        let server = server(Manner::Reply(reply)).await;
        let reply = HttpGis::new(settings(server.base_url())).unwrap().probe().await.unwrap();
        assert_eq!(reply, ProbeReply { status: 200, date });
    }
    for status in [429, 502, 503, 504] {
        let server = server(Manner::Reply(http(status, "", "<html/>"))).await;
        assert!(HttpGis::new(settings(server.base_url())).unwrap().probe().await.unwrap_err().is_outage());
    }
    for manner in [Manner::Close(Vec::new()), Manner::Reset] {
        let server = server(manner).await;
        assert!(HttpGis::new(settings(server.base_url())).unwrap().probe().await.unwrap_err().is_outage());
    }
}
