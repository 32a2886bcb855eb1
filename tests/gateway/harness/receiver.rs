//! A program of a client that takes events: it keeps what comes and answers as it is told to.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

/// A message that came.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

/// Listens until the story is over.
pub(crate) struct Receiver {
    address: SocketAddr,
    status: Arc<AtomicU16>,
    messages: Arc<Mutex<Vec<Message>>>,
}

impl Receiver {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (status, messages) = (Arc::new(AtomicU16::new(204)), Arc::<Mutex<Vec<_>>>::default());
        let (answer, kept) = (Arc::clone(&status), Arc::clone(&messages));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (answer, kept) = (Arc::clone(&answer), Arc::clone(&kept));
                std::thread::spawn(move || take(stream.unwrap(), &answer, &kept));
            }
        });
        Self { address, status, messages }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/gis-events?key=7", self.address)
    }

    /// What it answers from now on.
    pub(crate) fn answer(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// What has come since the last look.
    pub(crate) fn taken(&self) -> Vec<Message> {
        std::mem::take(&mut *self.messages.lock().unwrap())
    }
}

/// One message on a connection; the gateway opens another for the next one.
fn take(stream: TcpStream, status: &AtomicU16, messages: &Mutex<Vec<Message>>) {
    let mut reader = BufReader::new(stream);
    let mut lines = (&mut reader).lines().map(|line| line.unwrap());
    let Some(first) = lines.next() else { return };
    let headers: BTreeMap<_, _> = lines
        .take_while(|line| !line.is_empty())
        .map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_ascii_lowercase(), value.trim().to_owned())
        })
        .collect();
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    let path = first.split(' ').nth(1).unwrap().to_owned();
    messages.lock().unwrap().push(Message { path, headers, body: String::from_utf8(body).unwrap() });
    let status = status.load(Ordering::SeqCst);
    let reply = format!(
        "HTTP/1.1 {status} said\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    reader.get_mut().write_all(reply.as_bytes()).unwrap();
}

impl Message {
    /// The event.
    pub(crate) fn event(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The signatures as a receiver checks them: is one of them made with this secret?
    pub(crate) fn is_signed_with(&self, secret: &str) -> bool {
        let key = BASE64_STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        let parts = [&self.headers["webhook-id"], &self.headers["webhook-timestamp"], &self.body];
        mac.update(parts.map(String::as_str).join(".").as_bytes());
        let signature = format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()));
        self.signatures().contains(&signature.as_str())
    }

    pub(crate) fn signatures(&self) -> Vec<&str> {
        self.headers["webhook-signature"].split(' ').collect()
    }
}
