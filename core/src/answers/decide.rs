//! What happens to an earlier answer when one is posted or submitted: the table of `api.md` §4.4 as one pure function.
//!
//! Two answers count. The *draft* is the one that can still be changed, if there is one. The *earlier* answer is the
//! newest that GIS has, gets or loses. Cancelled and rejected ones are looked through, so an answer that is in force
//! under a refused correction is not overlooked; a withdrawn one ends the search.

use crate::domain::answer::{Answer, Confirm, State};
use crate::settings::Correction;

/// Where the earlier answer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Stored, and nothing of it was ever sent.
    Queued,
    /// GIS has it, perhaps has it, or is about to get it.
    InFlight,
    /// In force.
    Delivered {
        /// The latest export shows something else.
        contradicted: bool,
    },
    /// Its withdrawal is under way.
    Revoking,
}

impl Standing {
    /// Where an answer stands; `None` for drafts and what is no longer in force.
    pub(super) const fn of(answer: &Answer, contradicted: bool) -> Option<Self> {
        match answer.state {
            State::Queued if !answer.maybe_sent => Some(Self::Queued),
            State::Queued | State::Sending | State::Accepted | State::Uncertain => Some(Self::InFlight),
            State::Delivered => Some(Self::Delivered { contradicted }),
            State::Revoking => Some(Self::Revoking),
            State::Draft
            | State::Prepared
            | State::Rejected
            | State::Revoked
            | State::Cancelled
            | State::Superseded => None,
        }
    }
}

/// The earlier answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Earlier {
    /// Where it stands.
    pub(super) standing: Standing,
    /// Whether it says the same.
    pub(super) same: bool,
    /// Whether it was not sent from here: then it is not ours to withdraw.
    pub(super) elsewhere: bool,
}

/// The draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Draft {
    /// Whether it is the caller's.
    pub(super) own: bool,
    /// Whether it says the same.
    pub(super) same: bool,
}

/// What a new answer meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Situation {
    /// The draft.
    pub(super) draft: Option<Draft>,
    /// The earlier answer.
    pub(super) earlier: Option<Earlier>,
    /// GIS shows that it has answered by itself.
    pub(super) automatic: bool,
    /// GIS shows an answer, and none was ever sent from here.
    pub(super) answered_elsewhere: bool,
    /// GIS does not show the request any more.
    pub(super) gone: bool,
    /// Less than a day is left.
    pub(super) near_deadline: bool,
    /// The answer says «no debt», and the registry that answers knows one.
    pub(super) registry_disagrees: bool,
    /// How an answer in force is corrected.
    pub(super) correction: Correction,
}

/// What the caller wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wish<'a> {
    /// Send it, not only keep a draft.
    pub(super) submit: bool,
    /// What is confirmed.
    pub(super) confirm: &'a [Confirm],
    /// Whether there is a reason.
    pub(super) reason: bool,
}

/// What becomes of the draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DraftStep {
    /// There is none.
    Absent,
    /// The new answer takes its place.
    Replace,
    /// It is what is sent.
    Submit,
}

/// What becomes of the earlier answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EarlierStep {
    /// Nothing.
    LetBe,
    /// The new answer takes its place in the queue.
    Replace,
    /// The new answer waits until it is settled.
    WaitFor,
    /// It is withdrawn, and the new answer waits for that.
    Revoke,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// Nothing: the draft says the same.
    SameAsDraft,
    /// Nothing: the earlier answer says the same.
    SameAsEarlier,
    /// Go on.
    Go {
        /// With the draft.
        draft: DraftStep,
        /// With the earlier answer.
        earlier: EarlierStep,
    },
}

/// Why nothing may be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There is nobody left to answer.
    Gone,
    /// These must be confirmed first.
    Unconfirmed(Vec<Confirm>),
    /// A correction needs a reason.
    ReasonMissing,
}

/// Decides.
pub(super) fn decide(situation: &Situation, wish: Wish<'_>) -> Result<Decision, Refusal> {
    let draft = match situation.draft {
        Some(Draft { same: true, own }) if !(own && wish.submit) => return Ok(Decision::SameAsDraft),
        Some(Draft { same: true, .. }) => DraftStep::Submit,
        Some(Draft { same: false, .. }) => DraftStep::Replace,
        None => DraftStep::Absent,
    };
    if situation.earlier.is_some_and(holds_already) {
        return Ok(Decision::SameAsEarlier);
    }
    if situation.gone {
        return Err(Refusal::Gone);
    }
    let missing: Vec<_> =
        dangers(situation, wish.submit).filter(|danger| !wish.confirm.contains(danger)).collect();
    if !missing.is_empty() {
        return Err(Refusal::Unconfirmed(missing));
    }
    if corrects(situation) && !wish.reason {
        return Err(Refusal::ReasonMissing);
    }
    let earlier = if wish.submit { step(situation) } else { EarlierStep::LetBe };
    Ok(Decision::Go { draft, earlier })
}

/// Whether GIS has the same content, or gets it without further ado.
const fn holds_already(earlier: Earlier) -> bool {
    earlier.same
        && match earlier.standing {
            Standing::Queued | Standing::InFlight | Standing::Delivered { contradicted: false } => true,
            Standing::Delivered { contradicted: true } | Standing::Revoking => false,
        }
}

/// Whether other content is in force.
const fn corrects(situation: &Situation) -> bool {
    match situation.earlier {
        Some(Earlier { standing: Standing::Delivered { .. }, same, .. }) => !same,
        Some(_) => false,
        None => situation.answered_elsewhere,
    }
}

/// What is legal but must be confirmed. A draft harms nobody by being late.
fn dangers(situation: &Situation, submit: bool) -> impl Iterator<Item = Confirm> {
    let foreign = matches!(situation.draft, Some(Draft { own: false, same: false }));
    let corrects = corrects(situation);
    let revokes = corrects && step(situation) == EarlierStep::Revoke;
    [
        (foreign, Confirm::DraftExists),
        (corrects, Confirm::AlreadyAnswered),
        (situation.automatic, Confirm::AutoGeneratedByGis),
        (revokes && submit && situation.near_deadline, Confirm::CorrectionTooLate),
        (submit && situation.registry_disagrees, Confirm::RegistryDisagrees),
    ]
    .into_iter()
    .filter_map(|(applies, danger)| applies.then_some(danger))
}

const fn step(situation: &Situation) -> EarlierStep {
    let Some(earlier) = situation.earlier else { return EarlierStep::LetBe };
    match (earlier.standing, situation.correction) {
        (Standing::Queued, _) => EarlierStep::Replace,
        (Standing::InFlight | Standing::Revoking, _) => EarlierStep::WaitFor,
        // The same content once more: GIS shows that it has lost it, there is nothing of it to withdraw.
        (Standing::Delivered { .. }, _) if earlier.same || earlier.elsewhere => EarlierStep::LetBe,
        // GIS has put its own answer in its place.
        (Standing::Delivered { contradicted: true }, _) if situation.automatic => EarlierStep::LetBe,
        (Standing::Delivered { .. }, Correction::RevokeThenSend) => EarlierStep::Revoke,
        (Standing::Delivered { .. }, Correction::Overwrite) => EarlierStep::LetBe,
    }
}

#[cfg(test)]
mod tests;
