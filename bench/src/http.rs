//! One keep-alive connection, and the requests that go over it. As little as possible beside hyper: the clients share the
//! cores with the gateway.

use std::net::SocketAddr;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::Failure;

/// A request with its whole body.
pub type Request = hyper::Request<Full<Bytes>>;

/// Makes requests of one client.
pub struct Client {
    /// Of the gateway.
    pub address: SocketAddr,
    /// What it shows.
    pub token: String,
}

impl Client {
    /// A GET with the client's token.
    pub fn get(&self, path: &str) -> Result<Request, Failure> {
        self.request(Method::GET, path, "")
    }

    /// A POST with a JSON body.
    pub fn post(&self, path: &str, body: &str) -> Result<Request, Failure> {
        self.request(Method::POST, path, body)
    }

    fn request(&self, method: Method, path: &str, body: &str) -> Result<Request, Failure> {
        let mut request = bare(self.address, path)?;
        *request.method_mut() = method;
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, format!("Bearer {}", self.token).parse()?);
        if !body.is_empty() {
            headers.insert(CONTENT_TYPE, "application/json".parse()?);
            *request.body_mut() = Full::new(Bytes::copy_from_slice(body.as_bytes()));
        }
        Ok(request)
    }
}

/// A GET without a token.
pub fn bare(address: SocketAddr, path: &str) -> Result<Request, Failure> {
    Ok(hyper::Request::builder().uri(path).header(HOST, address.to_string()).body(Full::default())?)
}

/// A connection that is used again and again.
pub struct Connection {
    address: SocketAddr,
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    /// Opens one.
    pub async fn open(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, driver) = http1::handshake(TokioIo::new(stream)).await?;
        // What goes wrong with the connection goes wrong with the request on it as well.
        tokio::spawn(async move { drop(driver.await) });
        Ok(Self { address, sender })
    }

    /// Sends a request and reads the response to its end.
    pub async fn send(&mut self, request: Request) -> Result<StatusCode, Failure> {
        self.sender.ready().await?;
        let mut response = self.sender.send_request(request).await?;
        while let Some(frame) = response.body_mut().frame().await {
            drop(frame?);
        }
        Ok(response.status())
    }

    /// Sends a request that must succeed and reads the JSON of its response.
    pub async fn json(&mut self, request: Request) -> Result<Value, Failure> {
        let asked = format!("{} {}", request.method(), request.uri().path());
        // The gateway closes connections that were idle for a while.
        let sent = match self.sender.send_request(request.clone()).await {
            Err(error) if error.is_canceled() => {
                *self = Self::open(self.address).await?;
                self.sender.send_request(request).await
            }
            sent => sent,
        };
        let response = sent.map_err(|error| format!("{asked}: {error}"))?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        if status.is_success() {
            Ok(serde_json::from_slice(&body)?)
        } else {
            Err(format!("{asked}: {status} {}", String::from_utf8_lossy(&body)).into())
        }
    }
}
