//! Clients as integrators should write them: a key with every post, and the same post again until it is accepted.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use reqwest::Method;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use crate::harness::Client;
use crate::plan::{Content, Post};

/// Posts at once.
const PARALLEL: usize = 8;
/// A post that is not accepted after so long never will be.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long a client waits for one reply.
const REPLY: Duration = Duration::from_secs(20);
/// How long a client waits before it repeats a post, unless the program is back earlier.
const PAUSE: Duration = Duration::from_millis(200);

/// All clients of one run.
pub(crate) struct Clients {
    client: Client,
    addresses: watch::Receiver<Vec<String>>,
    /// The debt requests by number.
    requests: Vec<String>,
    turn: AtomicUsize,
    repeats: AtomicUsize,
}

/// What a 2xx said.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) request: usize,
    pub(crate) answer: String,
    pub(crate) content: Content,
}

impl Clients {
    pub(crate) fn new(
        client: Client,
        addresses: watch::Receiver<Vec<String>>,
        requests: Vec<String>,
    ) -> Self {
        Self { client, addresses, requests, turn: AtomicUsize::new(0), repeats: AtomicUsize::new(0) }
    }

    /// Posts all of them, several at once.
    pub(crate) async fn post(&self, posts: Vec<Post>) -> Vec<Accepted> {
        stream::iter(posts).map(|post| self.post_one(post)).buffer_unordered(PARALLEL).collect().await
    }

    /// Posts that had to be repeated.
    pub(crate) fn repeats(&self) -> usize {
        self.repeats.load(Ordering::Relaxed)
    }

    async fn post_one(&self, post: Post) -> Accepted {
        let path = format!("/v1/debt-requests/{}/answers", self.requests[post.request]);
        let key = format!("{}-{}", post.request, post.version);
        let body = post.body();
        let mut addresses = self.addresses.clone();
        let deadline = Instant::now() + PATIENCE;
        let mut last = "nobody was there".to_owned();
        while Instant::now() < deadline {
            let address = self.any(&addresses.borrow_and_update());
            if let Some(address) = address {
                let client = self.client.at(&address);
                let call = client.call(Method::POST, &path).header("idempotency-key", &key).json(&body);
                match timeout(REPLY, call.attempt()).await {
                    Ok(Ok(reply)) if reply.status.is_success() => {
                        let answer = reply.body["id"].as_str().unwrap().to_owned();
                        return Accepted { request: post.request, answer, content: post.content };
                    }
                    Ok(Ok(reply)) => {
                        assert_eq!(reply.body["retryable"], true, "{} {:#}", reply.status, reply.body);
                        last = format!("{} {}", reply.status, reply.body);
                    }
                    Ok(Err(error)) => last = format!("{error:?}"),
                    Err(late) => last = late.to_string(),
                }
                self.repeats.fetch_add(1, Ordering::Relaxed);
            }
            let again = deadline.min(Instant::now() + PAUSE);
            if let Ok(changed) = timeout_at(again, addresses.changed()).await {
                changed.unwrap();
            }
        }
        panic!("post {key} was not accepted, last: {last}");
    }

    /// One of those that live, in turn.
    fn any(&self, addresses: &[String]) -> Option<String> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        addresses.get(turn.checked_rem(addresses.len())?).cloned()
    }
}
