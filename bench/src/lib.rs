//! What the benchmarks and the drill share: messages and replies of realistic size, and a gateway as an operator sets it up.
//! All people and places are invented.

pub mod gateway;
pub mod http;
pub mod process;
pub mod replies;
mod rows;
pub mod store;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use gis_client::debt_requests::{
    Action, AtLeastOne, Attachment, DebtDocument, Debtor, IdentityDocument, ImportResponses, NsiRef, Person,
    Response,
};
use gis_client::envelope::{Header, Sender};
use gis_client::ids::{MessageId, TransportId};
use gis_client::signer::KeyPairSigner;
use gis_client::text::{
    AttachmentDescription, AttachmentName, Comment, DocumentNumber, DocumentSeries, NsiCode, PersonName,
    Snils, TextError,
};
use gost::{Certificate, KeyPair, ParameterSet, PrivateKey};
use uuid::Uuid;

/// Anything that stops a measurement.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A throw-away key with a certificate of its own.
///
/// # Errors
/// No randomness, or a certificate that cannot be written.
pub fn key_pair(set: ParameterSet, now: DateTime<Utc>) -> Result<KeyPair, Failure> {
    let key = PrivateKey::generate(set)?;
    let certificate = Certificate::self_signed(&key, "Benchmark", now, now + TimeDelta::days(365))?;
    Ok(KeyPair::new(key, certificate)?)
}

/// A sender that signs with a throw-away key of the parameter set that CryptoPro writes by default.
///
/// # Errors
/// As [`key_pair`].
pub fn sender(now: DateTime<Utc>) -> Result<Sender, Failure> {
    Ok(Sender {
        organization: Uuid::from_u128(1).into(),
        signer: Arc::new(KeyPairSigner::new(key_pair(ParameterSet::CryptoProXchA, now)?)),
        operator_signature: true,
        creators: Vec::new(),
    })
}

/// A header with a MessageGUID of its own.
#[must_use]
pub fn header(now: DateTime<Utc>) -> Header {
    Header { message: MessageId::generate(), sent_at: now.fixed_offset() }
}

/// One hundred answers "no debt" without a comment: the usual package.
///
/// # Errors
/// Never for this content; the types ask.
pub fn plain_package() -> Result<ImportResponses, Failure> {
    package(|_index| Ok(Response::NoDebt { comment: None, executor: Uuid::from_u128(2).into() }))
}

/// One hundred answers with a comment, a debtor with an identity document, and a court act each.
///
/// # Errors
/// Never for this content; the types ask.
pub fn debt_package() -> Result<ImportResponses, Failure> {
    package(|index| {
        Ok(Response::Debt {
            comment: Some(Comment::parse("Задолженность за отопление & горячую воду")?),
            executor: Uuid::from_u128(2).into(),
            debtors: AtLeastOne::from(debtor(index)?),
            additional_files: Vec::new(),
        })
    })
}

fn package(response: impl Fn(u128) -> Result<Response, TextError>) -> Result<ImportResponses, Failure> {
    let action = |index| {
        let (transport, subrequest) = (TransportId::generate(), Uuid::from_u128(index).into());
        Ok(Action::Send { transport, subrequest, response: response(index)? })
    };
    let actions: Result<Vec<Action>, TextError> = (0..100).map(action).collect();
    Ok(ImportResponses::new(actions?)?)
}

fn debtor(index: u128) -> Result<Debtor, TextError> {
    let person = Person {
        first_name: PersonName::parse("Примеро")?,
        last_name: PersonName::parse(format!("Вымышленный-{index}"))?,
        middle_name: Some(PersonName::parse("Образцович")?),
        snils: Some(Snils::parse("00000000000")?),
        document: Some(IdentityDocument {
            kind: reference("1")?,
            series: Some(DocumentSeries::parse("0000")?),
            number: DocumentNumber::parse("000000")?,
        }),
    };
    let attachment = Attachment {
        name: AttachmentName::parse("Судебный приказ.pdf")?,
        description: AttachmentDescription::parse("Судебный приказ")?,
        id: Uuid::from_u128(index).into(),
        hash: [7; 32],
    };
    Ok(Debtor { person, documents: vec![DebtDocument { kind: reference("1")?, attachment }] })
}

fn reference(code: &str) -> Result<NsiRef, TextError> {
    let id = Uuid::from_u128(0x237b_587e_0b10_4702_b78c_8d64_1c3d_4d45).into();
    Ok(NsiRef { code: NsiCode::parse(code)?, id, name: None })
}
