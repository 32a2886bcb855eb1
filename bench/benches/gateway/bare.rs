//! The barest handler that the web framework can have, in this process: what the machine and the clients allow at all.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use actix_web::rt::System;
use actix_web::{App, HttpServer, web};
use bench::Failure;

/// Serves `ok` at every path from threads of its own, until the process ends.
pub(crate) fn start() -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        System::new().block_on(async move {
            let server = HttpServer::new(|| App::new().default_service(web::to(ok)));
            server.disable_signals().listen(listener)?.run().await
        })
    });
    Ok(address)
}

async fn ok() -> &'static str {
    "ok"
}
