//! What a recorder takes down is what went over the wire, and what it cannot take down is not sent.

use std::sync::Mutex;

use gis_client::Recorder;
use gis_client::error::Cause;

use super::*;

/// Keeps everything, or breaks at the first message.
#[derive(Default)]
struct Tape {
    broken: bool,
    sent: Mutex<Vec<Vec<u8>>>,
    received: Mutex<Vec<(u16, Vec<u8>)>>,
}

#[async_trait::async_trait]
impl Recorder for Tape {
    async fn sending(&self, message: &[u8]) -> Result<(), Cause> {
        if self.broken {
            return Err("the disk is full".into());
        }
        self.sent.lock().unwrap().push(message.to_vec());
        Ok(())
    }

    fn received(&self, status: u16, body: &[u8]) {
        self.received.lock().unwrap().push((status, body.to_vec()));
    }
}

fn taped(tape: &Arc<Tape>) -> Call {
    let recorder: Arc<dyn Recorder> = tape.clone();
    Call { recorder: Some(recorder), ..call() }
}

#[tokio::test]
async fn the_wire_is_taken_down_whatever_comes_back() {
    let tape = Arc::new(Tape::default());
    let replies = [(200, acknowledgement("")), (500, fault("EXP001000")), (502, "<html>".to_owned())];
    let manners = replies.iter().map(|(status, body)| Manner::Reply(http(*status, "", body)));
    let server = server_in_turn(manners.collect()).await;
    let gis = HttpGis::new(settings(server.base_url())).unwrap();
    for _ in &replies {
        drop(gis.import_responses(&taped(&tape), &no_debt()).await);
    }
    let wire: Vec<_> = server.received().iter().map(|request| request.body.clone()).collect();
    assert_eq!(*tape.sent.lock().unwrap(), wire);
    let came: Vec<_> = replies.iter().map(|(status, body)| (*status, body.clone().into_bytes())).collect();
    assert_eq!(*tape.received.lock().unwrap(), came);
}

#[tokio::test]
async fn what_cannot_be_taken_down_is_not_sent() {
    let tape = Arc::new(Tape { broken: true, ..Tape::default() });
    let server = server(Manner::Silent).await;
    let gis = HttpGis::new(settings(server.base_url())).unwrap();
    let error = gis.import_responses(&taped(&tape), &no_debt()).await.unwrap_err();
    assert!(!error.is_outage(), "it says nothing about GIS");
    assert_error!(
        error,
        Error::NotSent { reason: NotSent::Unrecorded, source: Some(_) },
        Fate::NotSent,
        Repeat::Later { after: None }
    );
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn a_message_is_taken_down_although_nobody_takes_it() {
    let tape = Arc::new(Tape::default());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let free = listener.local_addr().unwrap();
    drop(listener);
    let gis = HttpGis::new(settings(format!("http://{free}"))).unwrap();
    gis.import_responses(&taped(&tape), &no_debt()).await.unwrap_err();
    assert_eq!((tape.sent.lock().unwrap().len(), tape.received.lock().unwrap().len()), (1, 0));
}

/// Never comes to an end.
struct Slow;

#[async_trait::async_trait]
impl Recorder for Slow {
    async fn sending(&self, _message: &[u8]) -> Result<(), Cause> {
        std::future::pending().await
    }

    fn received(&self, _status: u16, _body: &[u8]) {}
}

#[tokio::test]
async fn a_slow_recorder_is_left_when_the_lease_ends() {
    let server = server(Manner::Silent).await;
    let gis = HttpGis::new(settings(server.base_url())).unwrap();
    let not_after = Some(Instant::now() + Duration::from_millis(100));
    let call = Call { recorder: Some(Arc::new(Slow)), not_after, ..call() };
    let error = gis.import_responses(&call, &no_debt()).await.unwrap_err();
    assert!(matches!(error, Error::NotSent { reason: NotSent::LeaseOver, .. }), "{error:?}");
    assert!(server.received().is_empty());
}
