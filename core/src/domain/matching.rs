//! Whether the registry of court debts knows a debt for the place that a request asks about: one pure function.
//!
//! Called by whoever runs matches, with the rows that
//! [`HouseIds::keys`](super::house::HouseIds::keys) finds. The result is `found` or `not_found` only
//! where that is proven; everything else is `ambiguous`, which no machine answers, because a wrong «no debt» and a debt of
//! the wrong flat are the worst that can happen here.
//!
//! The rules, for a row of the house:
//!
//! | the row | what it does |
//! |---|---|
//! | other premises, however the texts are read | nothing |
//! | repaid before the request was sent, after the decision, and nothing else is written there | nothing; shown if it is the same place |
//! | the same place, in force by the end of the period, not repaid, address text not against it | counts: `found` |
//! | anything between | a doubt, with its reason |
//!
//! A row that counts outweighs doubts about other rows, with two exceptions. Several rows of a *workbook* for that place are
//! `several_rows`, repaid ones included: one address has one row there (F57), so one of them is wrong; rows added one by one
//! are several decisions and all count. And a request without premises is `premises_missing` as soon as any flat of the
//! house may owe.
//!
//! Several registries may answer for a place: [`Decision::against`] puts what they say together.
//!
//! «Not found» also needs a house that is certain: a FIAS identifier, from the request or from a
//! [`HouseBook`](super::house::HouseBook). A GIS identifier alone may be the other name of a house in the registry.

use self::rules::{AddressRule, Basis, DatesRule, HouseRule, PremisesRule, Reason};
use super::address_text::{AddressText, Agreement};
use super::court_debt::{Entry, Origin};
use super::debt_request::MatchResult;
use super::house::HouseRelation;
use crate::ids::CourtDebtId;

mod question;
pub mod rules;

pub use question::Question;

/// No more rows than this are shown with a decision.
pub const MOST_CANDIDATES: usize = 20;

/// What a match gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The result.
    pub result: MatchResult,
    /// What it rests on.
    pub basis: Basis,
    /// Why a person must look, each reason once; empty unless the result is `ambiguous`.
    pub reasons: Vec<Reason>,
    /// The rows that were weighed, the closest first.
    pub candidates: Vec<Candidate>,
    /// How many more there were.
    pub more_candidates: usize,
    /// Every row that counts, however many are shown; an answer «debt» tells of all of them.
    pub counting: Vec<CourtDebtId>,
}

impl Decision {
    /// With what another registry that answers for the place says of it. Where that weighs more a person must look: this
    /// registry alone proves nothing, and the rows of the other one are shown first.
    #[must_use]
    pub fn against(self, other: Self) -> Self {
        if weight(other.result) <= weight(self.result) {
            return self;
        }
        let mut reasons = self.reasons;
        reasons.extend(other.reasons);
        reasons.push(Reason::OtherRegistry);
        reasons.sort_unstable();
        reasons.dedup();
        let shown = other.candidates.len() + self.candidates.len();
        let hidden = shown.saturating_sub(MOST_CANDIDATES);
        Self {
            result: MatchResult::Ambiguous,
            basis: Basis::Doubt,
            reasons,
            candidates: other.candidates.into_iter().chain(self.candidates).take(MOST_CANDIDATES).collect(),
            more_candidates: other.more_candidates + self.more_candidates + hidden,
            counting: Vec::new(),
        }
    }
}

/// How much a result says against «no debt»: a debt outweighs a doubt, a doubt outweighs «no debt».
#[must_use]
pub const fn weight(result: MatchResult) -> u8 {
    match result {
        MatchResult::Found => 2,
        MatchResult::Ambiguous => 1,
        MatchResult::NotFound => 0,
    }
}

/// A row that was weighed, with the rule that each side of it met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The row.
    pub id: CourtDebtId,
    /// How its house was recognised.
    pub house: HouseRule,
    /// How its premises compare.
    pub premises: PremisesRule,
    /// How its address text compares.
    pub address: AddressRule,
    /// What its dates say.
    pub dates: DatesRule,
    /// Whether this row, taken alone, is a debt of the place asked about.
    pub counts: bool,
}

impl Candidate {
    /// How close the row is, for people to look at and for the order of the list: from 0 to 1.
    #[must_use]
    pub fn score(&self) -> f64 {
        f64::from(self.closeness()) / 100.0
    }

    fn closeness(&self) -> u8 {
        let premises = match self.premises {
            PremisesRule::Same | PremisesRule::SameHouse => 100,
            PremisesRule::Room => 80,
            PremisesRule::Unclear => 60,
            PremisesRule::NotUnderstood => 50,
            PremisesRule::MissingInRegistry | PremisesRule::MissingInRequest => 40,
        };
        let address: u8 = if self.address == AddressRule::Differs { 30 } else { 0 };
        let house = if self.house == HouseRule::Contradicted { 10 } else { 0 };
        premises - address - house
    }

    fn is_same_place(&self) -> bool {
        matches!(self.premises, PremisesRule::Same | PremisesRule::SameHouse)
    }

    fn is_repaid(&self) -> bool {
        self.dates == DatesRule::RepaidBefore
    }

    /// Why this row leaves the answer in doubt; nothing for rows that count and for repaid ones.
    fn doubts(&self) -> impl Iterator<Item = Reason> + use<> {
        let house = (self.house == HouseRule::Contradicted).then_some(Reason::HouseUnknown);
        let premises = match self.premises {
            PremisesRule::Same | PremisesRule::SameHouse => None,
            PremisesRule::MissingInRequest | PremisesRule::MissingInRegistry => Some(Reason::PremisesMissing),
            PremisesRule::Room | PremisesRule::Unclear | PremisesRule::NotUnderstood => {
                Some(Reason::PremisesPartial)
            }
        };
        let address = (self.address == AddressRule::Differs).then_some(Reason::AddressTextDiffers);
        let dates = match self.dates {
            DatesRule::InForce | DatesRule::InForceLongAgo | DatesRule::RepaidBefore => None,
            DatesRule::RepaidLater | DatesRule::RepaidUnclear | DatesRule::AfterPeriod => {
                Some(Reason::NotInPeriod)
            }
        };
        let repaid = self.is_repaid();
        [house, premises, address, dates].into_iter().flatten().filter(move |_| !repaid)
    }
}

/// Decides. `rows` are all rows whose FIAS or GIS identifier is one of
/// [`HouseIds::keys`](super::house::HouseIds::keys), in any order; rows of other houses and a row given twice do no harm.
#[must_use]
pub fn decide<'rows>(question: &Question, rows: impl IntoIterator<Item = &'rows Entry>) -> Decision {
    let mut weighing = Weighing::default();
    for row in rows {
        weighing.add(question, row);
    }
    weighing.decide(question)
}

/// The rows that matter so far. Nothing is allocated before there is one.
#[derive(Default)]
struct Weighing<'rows> {
    rows: Vec<(Candidate, Origin)>,
    /// The last address text and what it said: the rows of a house mostly have one and the same.
    last_address: Option<(&'rows str, AddressRule)>,
    has_rows_of_house: bool,
    /// `houseGUID` is the FIAS identifier of a row.
    is_fias: bool,
}

impl<'rows> Weighing<'rows> {
    fn add(&mut self, question: &Question, row: &'rows Entry) {
        let house = match question.house.relation(row.fias_house_id, row.gis_house_id) {
            HouseRelation::Other => return,
            HouseRelation::ByFias => HouseRule::Fias,
            HouseRelation::ByGis => HouseRule::GisId,
            HouseRelation::Contradicted => HouseRule::Contradicted,
        };
        self.has_rows_of_house = true;
        self.is_fias |= question.house.gis == Some(row.fias_house_id);
        let Some(premises) = question.asked.compare(&row.premises) else { return };
        let dates = question.dates(row);
        let address = AddressRule::NotCompared;
        let mut candidate = Candidate { id: row.id, house, premises, address, dates, counts: false };
        // Repaid debts of places that may be this one explain nothing.
        if candidate.is_repaid() && !candidate.is_same_place() {
            return;
        }
        candidate.address = self.address_rule(question, row);
        candidate.counts = !candidate.is_repaid() && candidate.doubts().next().is_none();
        self.rows.push((candidate, row.origin));
    }

    fn address_rule(&mut self, question: &Question, row: &'rows Entry) -> AddressRule {
        let Some((asked, text)) = question.address.as_ref().zip(row.address.as_deref()) else {
            return AddressRule::NotCompared;
        };
        if let Some((last, rule)) = self.last_address
            && last == text
        {
            return rule;
        }
        let rule = match asked.agreement(&AddressText::read(text)) {
            Agreement::Agree => AddressRule::Agrees,
            Agreement::Differ => AddressRule::Differs,
            Agreement::Unreadable => AddressRule::NotCompared,
        };
        self.last_address = Some((text, rule));
        rule
    }

    fn decide(mut self, question: &Question) -> Decision {
        self.rows.sort_by_key(|(row, _)| (!row.counts, u8::MAX - row.closeness(), row.id));
        self.rows.dedup_by_key(|(row, _)| row.id);
        let (result, basis, mut reasons) = match self.verdict(question) {
            Ok(Some(basis)) => (MatchResult::NotFound, basis, Vec::new()),
            Ok(None) => (MatchResult::Found, Basis::RowsCount, Vec::new()),
            Err(reasons) => (MatchResult::Ambiguous, Basis::Doubt, reasons),
        };
        reasons.sort_unstable();
        reasons.dedup();
        let counting = self.rows.iter().filter(|(row, _)| row.counts).map(|(row, _)| row.id).collect();
        let more_candidates = self.rows.len().saturating_sub(MOST_CANDIDATES);
        let candidates = self.rows.into_iter().take(MOST_CANDIDATES).map(|(row, _)| row).collect();
        Decision { result, basis, reasons, candidates, more_candidates, counting }
    }

    /// A debt, the basis of «no debt», or the reasons of a doubt.
    fn verdict(&self, question: &Question) -> Result<Option<Basis>, Vec<Reason>> {
        if question.house.is_empty() {
            let object = question.has_object;
            return Err(vec![if object { Reason::GisObjectOnly } else { Reason::HouseUnknown }]);
        }
        let doubts: Vec<Reason> = self.rows.iter().flat_map(|(row, _)| row.doubts()).collect();
        if self.rows.iter().any(|(row, _)| row.counts) {
            return self.debt(question, doubts).map(|()| None);
        }
        if !doubts.is_empty() {
            return Err(doubts);
        }
        if question.house.fias.is_none() && !self.is_fias {
            return Err(vec![Reason::HouseUnknown]);
        }
        Ok(Some(match (self.has_rows_of_house, self.rows.is_empty()) {
            (false, _) => Basis::NoRowsOfHouse,
            (true, true) => Basis::NoRowsOfPremises,
            (true, false) => Basis::AllRepaid,
        }))
    }

    /// Whether a row that counts settles it.
    fn debt(&self, question: &Question, mut doubts: Vec<Reason>) -> Result<(), Vec<Reason>> {
        let of_workbook =
            |(row, origin): &&(Candidate, Origin)| row.is_same_place() && *origin == Origin::Workbook;
        if self.rows.iter().filter(of_workbook).nth(1).is_some() {
            doubts.push(Reason::SeveralRows);
            return Err(doubts);
        }
        let flats_may_owe = question.asked.is_house() && doubts.contains(&Reason::PremisesMissing);
        if flats_may_owe { Err(doubts) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
