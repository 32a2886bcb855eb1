//! The simulator of the demo, as its clients ask for debt requests of their own.

use debt_core::{Code, Error};
use gis_sim::Control;
use gis_sim::control::{ControlError, NewSubrequests, SubrequestSummary};
use uuid::Uuid;

use crate::sandbox::{Invented, Sandbox, Wanted};

/// The simulator in this process.
pub(super) struct Simulator(pub(super) Control);

impl Sandbox for Simulator {
    fn invent(&self, supplier: Uuid, wanted: &Wanted) -> Result<Vec<Invented>, Error> {
        let new = NewSubrequests {
            organization: Some(supplier),
            count: wanted.count,
            ending: wanted.ending.map(ToOwned::to_owned),
            ..NewSubrequests::default()
        };
        let made = self.0.create(&new).map_err(refusal)?;
        Ok(made.into_iter().map(invented).collect())
    }
}

fn invented(made: SubrequestSummary) -> Invented {
    Invented { id: made.guid, request_number: made.number, due_on: made.respond_by }
}

/// The demo's own organisation alone is served; what else is refused would be our mistake.
fn refusal(error: ControlError) -> Error {
    let conflict = |detail| Error::conflict(Code::StateConflict, detail, None);
    match error {
        ControlError::Full(_) => conflict("в имитаторе больше нет места; перезапустите демонстрацию"),
        ControlError::Invalid(_) => {
            conflict("имитатор отвечает только организации, которая была в демонстрации с начала")
        }
        ControlError::NotFound(_) | ControlError::Conflict(_) => Error::internal(error),
    }
}
