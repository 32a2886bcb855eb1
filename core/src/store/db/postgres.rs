//! PostgreSQL over TCP or a socket, with rustls where TLS is wanted.

use std::path::Path;
use std::sync::Arc;

use diesel::{ConnectionError, ConnectionResult};
use diesel_async::pooled_connection::deadpool::Pool;
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection as _};
use futures_util::FutureExt;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::runtime::Handle;
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::settings::{PgPlace, Tls};
use crate::store::error::OpenError;

/// One plan for a statement, whatever its values: to plan a list anew takes longer than to read it, and every index begins
/// with what narrows a query enough.
const SESSION: &str = "SET plan_cache_mode = force_generic_plan";

/// How to reach the server.
pub(super) struct Server {
    config: Config,
    tls: Option<MakeRustlsConnect>,
}

impl Server {
    pub(super) fn new(place: &PgPlace) -> Result<Self, OpenError> {
        Ok(Self { config: place.config.clone(), tls: tls(&place.tls)? })
    }

    pub(super) async fn connect(&self) -> ConnectionResult<AsyncPgConnection> {
        match self.tls.clone() {
            Some(tls) => {
                let (client, conn) = self.config.connect(tls).await.map_err(refused)?;
                AsyncPgConnection::try_from_client_and_connection(client, conn).await
            }
            None => {
                let (client, conn) = self.config.connect(NoTls).await.map_err(refused)?;
                AsyncPgConnection::try_from_client_and_connection(client, conn).await
            }
        }
    }
}

/// The error's own text leaves out the reason.
fn refused(error: tokio_postgres::Error) -> ConnectionError {
    let reason = std::error::Error::source(&error).map_or_else(String::new, |source| format!(": {source}"));
    ConnectionError::BadConnection(format!("{error}{reason}"))
}

pub(super) fn pool(
    server: &Arc<Server>,
    size: usize,
    runtime: &Handle,
) -> Result<Pool<AsyncPgConnection>, OpenError> {
    let (server, runtime) = (Arc::clone(server), runtime.clone());
    let mut config = ManagerConfig::default();
    // A closed connection is seen without a question; one that breaks in the moment is the caller's `Unavailable`.
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(move |_| connect_in(runtime.clone(), Arc::clone(&server)).boxed());
    let manager = AsyncDieselConnectionManager::new_with_config(String::new(), config);
    Pool::builder(manager).max_size(size).build().map_err(|error| OpenError::Connect(Box::new(error)))
}

/// The task that drives a connection must outlive the caller's runtime.
async fn connect_in(runtime: Handle, server: Arc<Server>) -> ConnectionResult<AsyncPgConnection> {
    let connected = runtime.spawn(async move {
        let mut conn = server.connect().await?;
        conn.batch_execute(SESSION).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
        Ok(conn)
    });
    let connected = connected.await;
    connected.map_err(|error| ConnectionError::BadConnection(error.to_string()))?
}

fn tls(tls: &Tls) -> Result<Option<MakeRustlsConnect>, OpenError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| OpenError::Tls(error.to_string()))?;
    let config = match tls {
        Tls::Off => return Ok(None),
        Tls::Unverified => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
            .with_no_client_auth(),
        Tls::Verified { roots } => {
            builder.with_root_certificates(root_store(roots.as_deref())?).with_no_client_auth()
        }
    };
    Ok(Some(MakeRustlsConnect::new(config)))
}

/// The authorities of the file alone, where one is given: it narrows, as with libpq.
fn root_store(file: Option<&Path>) -> Result<RootCertStore, OpenError> {
    let Some(file) = file else {
        return Ok(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() });
    };
    let wrong = |text: String| OpenError::Tls(format!("{}: {text}", file.display()));
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| wrong(error.to_string()))? {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        store.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    if store.is_empty() {
        return Err(wrong("no certificates".to_owned()));
    }
    Ok(store)
}

/// `sslmode=prefer` and `require` without `sslrootcert`: the certificate is not looked at, the handshake still is.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
