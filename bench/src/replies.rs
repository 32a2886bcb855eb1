//! Replies as the simulator writes them, so that the client parses what it did not write itself.

use chrono::{DateTime, NaiveDate, Utc};
use gis_sim::signature;
use gis_sim::wire::Style;
use gis_sim::wire::model::{
    Executor, HousingObject, NotFound, Organization, Outcome, Paging, Period, Place, RequestStatus,
    ResponseStatus, State, Subrequest, SubrequestPage, Version,
};
use gis_sim::wire::write::{ReplyHeader, StateMessage, StateReply, state};
use gost::KeyPair;
use uuid::Uuid;

use crate::Failure;

/// A finished `getState` result with so many unanswered subrequests, in the format that tells the flat.
#[must_use]
pub fn export_reply(subrequests: u128, now: DateTime<Utc>) -> StateMessage {
    let page = SubrequestPage {
        subrequests: (0..subrequests).map(|index| subrequest(index, now.date_naive())).collect(),
        not_found: NotFound::Subrequests(Vec::new()),
        paging: Paging::Last,
    };
    let (message, original) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let header = ReplyHeader { date: now.fixed_offset(), original, own: original };
    let reply = StateReply { message, version: Version::V13, state: State::Done(Outcome::Subrequests(page)) };
    state(&Style::plain(), &header, &reply)
}

/// The same with the server's signature.
///
/// # Errors
/// The message cannot be signed.
pub fn signed(message: &StateMessage, pair: &KeyPair, now: DateTime<Utc>) -> Result<Vec<u8>, Failure> {
    Ok(signature::sign(message, pair, now.fixed_offset())?)
}

fn subrequest(index: u128, today: NaiveDate) -> Subrequest {
    Subrequest {
        guid: Uuid::from_u128(index),
        request: Uuid::from_u128(index + 1),
        number: format!("0120260{index:07}"),
        organization: Organization {
            root: Uuid::from_u128(3),
            name: "Управление социальной защиты населения города Примерска (вымышленное)".to_owned(),
            telephone: Some("+7 000 000-00-00".to_owned()),
        },
        housing: HousingObject {
            place: Place::House { guid: Uuid::from_u128(4), details: Some(format!("кв. {index}")) },
            fias_house: Some(Uuid::from_u128(5)),
            address: "000000, обл. Примерная, г. Примерск, ул. Тестовая, д. 1".to_owned(),
        },
        period: Period { start: today, end: today },
        status: RequestStatus::Sent,
        sent: today,
        respond_by: today,
        executor: Executor {
            guid: Uuid::from_u128(6), name: "Образцова Примера Вымышленовна".to_owned()
        },
        response_status: ResponseStatus::NotSent,
        response: None,
    }
}
