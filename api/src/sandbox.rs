//! The simulator of GIS in the same process, where there is one: what a client may ask of it. A gateway that speaks to GIS
//! has none.

use chrono::NaiveDate;
use debt_core::Error;
use uuid::Uuid;

/// Debt requests to be invented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// How many.
    pub count: u32,
    /// The last two digits of their numbers, which choose how the simulator behaves; none for the usual behaviour.
    pub ending: Option<&'static str>,
}

/// A debt request that was invented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invented {
    /// subrequestGUID.
    pub id: Uuid,
    /// requestNumber.
    pub request_number: String,
    /// Its last day.
    pub due_on: NaiveDate,
}

/// A simulator of GIS.
pub trait Sandbox: Send + Sync {
    /// Invents debt requests to a supplier. They come to the gateway as all others do.
    ///
    /// # Errors
    /// The simulator has too many.
    fn invent(&self, supplier: Uuid, wanted: &Wanted) -> Result<Vec<Invented>, Error>;
}
