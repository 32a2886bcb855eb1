use chrono::NaiveDate;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::debt_request::{Address, GisView, RequestStatus, Requester, ResponseStatus};
use crate::domain::house::HouseIds;
use crate::domain::premises::Premises;

const HOUSE: Uuid = Uuid::from_u128(0xF1A5);
const OTHER_HOUSE: Uuid = Uuid::from_u128(0xF1A6);
const IN_GIS: Uuid = Uuid::from_u128(0x615);
const OBJECT: Uuid = Uuid::from_u128(0x0B1);
const TEXT: &str = "000000, обл. Приозёрская, г. Новолесск, ул. Ткацкая, д. 1";

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn today() -> NaiveDate {
    day("2026-11-05")
}

/// A request of the form 13.1.10.1 with both identifiers.
fn asks(premises: &str) -> GisView {
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    GisView {
        request_id: None,
        request_number: "62026110433".to_owned(),
        requester: Requester::default(),
        address: Address {
            text: some(TEXT),
            premises: some(premises),
            object_type: None,
            fias_house_id: Some(HOUSE),
            gis_house_id: Some(IN_GIS),
            gis_object_id: None,
        },
        period_from: Some(day("2023-11-02")),
        period_to: Some(day("2026-11-02")),
        sent_on: Some(day("2026-11-02")),
        due_on: Some(day("2026-11-10")),
        request_status: RequestStatus::Sent,
        response_status: ResponseStatus::NotSent,
    }
}

/// A request of the form 14.0.0.0, which names the flat in the address text or nowhere.
fn asks_object(kind: &str, text: &str) -> GisView {
    let mut view = asks("");
    view.address = Address {
        text: Some(text.to_owned()),
        object_type: Some(kind.to_owned()),
        gis_house_id: None,
        gis_object_id: Some(OBJECT),
        ..view.address
    };
    view
}

fn owes(number: u128, premises: &str) -> Entry {
    Entry {
        id: Uuid::from_u128(number).into(),
        fias_house_id: HOUSE,
        gis_house_id: None,
        address: None,
        premises: Premises::read(premises),
        in_force_from: day("2025-03-14"),
        repaid_on: None,
        noted: false,
        origin: Origin::Workbook,
    }
}

/// A row with «Дополнительная информация».
fn noted(entry: Entry) -> Entry {
    Entry { noted: true, ..entry }
}

fn repaid(number: u128, premises: &str, on: &str) -> Entry {
    Entry { repaid_on: Some(day(on)), ..owes(number, premises) }
}

fn by_hand(entry: Entry) -> Entry {
    Entry { origin: Origin::Single, ..entry }
}

fn at(entry: Entry, text: &str) -> Entry {
    Entry { address: Some(text.into()), ..entry }
}

fn match_of(view: &GisView, rows: &[Entry]) -> Decision {
    decide(&Question::of(view, today()), rows)
}

#[track_caller]
fn found(view: &GisView, rows: &[Entry], counting: &[u128]) {
    let decision = match_of(view, rows);
    assert_eq!((decision.result, decision.basis), (MatchResult::Found, Basis::RowsCount), "{decision:?}");
    assert!(decision.reasons.is_empty());
    let ids: Vec<u128> =
        decision.candidates.iter().filter(|row| row.counts).map(|row| row.id.as_uuid().as_u128()).collect();
    assert_eq!(ids, counting);
}

#[track_caller]
fn not_found(view: &GisView, rows: &[Entry], basis: Basis) -> Vec<Candidate> {
    let decision = match_of(view, rows);
    assert_eq!((decision.result, decision.basis), (MatchResult::NotFound, basis), "{decision:?}");
    assert!(decision.reasons.is_empty() && decision.candidates.iter().all(|row| !row.counts));
    decision.candidates
}

#[track_caller]
fn ambiguous(view: &GisView, rows: &[Entry], reasons: &[Reason]) -> Vec<Candidate> {
    let decision = match_of(view, rows);
    assert_eq!((decision.result, decision.basis), (MatchResult::Ambiguous, Basis::Doubt), "{decision:?}");
    assert_eq!(decision.reasons, reasons, "{decision:?}");
    decision.candidates
}

#[test]
fn a_debt_of_that_flat_is_found_however_it_is_written() {
    for (request, row) in
        [("кв. 12", "12"), ("12", "кв.12"), ("KB. 12", "кв 12"), ("кв. 1 комн. 2", "1, к. 2")]
    {
        let premises = if row == "1, к. 2" { "кв. 1, к. 2" } else { row };
        found(&asks(request), &[owes(1, "кв. 3"), owes(2, premises)], &[2]);
    }
}

#[test]
fn a_found_row_says_which_rules_it_met() {
    let decision = match_of(&asks("кв. 12"), &[at(owes(1, "12"), "г. Новолесск, Ткацкая ул., 1")]);
    let expected = Candidate {
        id: Uuid::from_u128(1).into(),
        house: HouseRule::Fias,
        premises: PremisesRule::Same,
        address: AddressRule::Agrees,
        dates: DatesRule::InForce,
        counts: true,
    };
    assert_eq!(decision.candidates, [expected]);
    assert!((expected.score() - 1.0).abs() < f64::EPSILON);
}

#[test]
fn a_house_without_debts_and_a_flat_without_debts_are_not_found() {
    not_found(&asks("кв. 12"), &[], Basis::NoRowsOfHouse);
    let candidates =
        not_found(&asks("кв. 12"), &[owes(1, "кв. 11"), owes(2, "кв. 121")], Basis::NoRowsOfPremises);
    assert!(candidates.is_empty());
    let elsewhere = Entry { fias_house_id: OTHER_HOUSE, ..owes(1, "кв. 12") };
    not_found(&asks("кв. 12"), &[elsewhere], Basis::NoRowsOfHouse);
}

#[test]
fn a_house_is_found_by_either_register() {
    let mut view = asks("кв. 12");
    view.address.fias_house_id = None;
    let with_gis = Entry { gis_house_id: Some(IN_GIS), ..owes(1, "12") };
    let candidates = match_of(&view, std::slice::from_ref(&with_gis)).candidates;
    assert_eq!(candidates[0].house, HouseRule::GisId);
    found(&view, &[with_gis], &[1]);
    view.address.gis_house_id = Some(HOUSE);
    found(&view, &[owes(1, "12")], &[1]);
    not_found(&view, &[owes(1, "13")], Basis::NoRowsOfPremises);
}

#[test]
fn no_debt_needs_a_certain_house() {
    let mut view = asks("кв. 12");
    view.address.fias_house_id = None;
    // The house may be in the registry under FIAS, so its absence under this GUID proves nothing.
    ambiguous(&view, &[], &[Reason::HouseUnknown]);
    let with_gis = Entry { gis_house_id: Some(IN_GIS), ..owes(1, "13") };
    ambiguous(&view, std::slice::from_ref(&with_gis), &[Reason::HouseUnknown]);
    // With what a book of houses adds, it does.
    let known = HouseIds { fias: Some(HOUSE), gis: Some(IN_GIS) };
    let question = Question::of(&view, today()).with_house(known);
    assert_eq!(decide(&question, &[with_gis]).result, MatchResult::NotFound);
    view.address.gis_house_id = None;
    ambiguous(&view, &[owes(1, "12")], &[Reason::HouseUnknown]);
}

#[test]
fn identifiers_that_contradict_each_other_leave_a_doubt() {
    let row = Entry { fias_house_id: OTHER_HOUSE, gis_house_id: Some(IN_GIS), ..owes(1, "12") };
    let candidates = ambiguous(&asks("кв. 12"), std::slice::from_ref(&row), &[Reason::HouseUnknown]);
    assert_eq!((candidates[0].house, candidates[0].counts), (HouseRule::Contradicted, false));
    not_found(&asks("кв. 13"), &[row], Basis::NoRowsOfPremises);
}

#[test]
fn an_object_without_a_house_is_ambiguous() {
    let mut view = asks_object("apartment", &format!("{TEXT}, кв. 12"));
    view.address.fias_house_id = None;
    ambiguous(&view, &[owes(1, "12")], &[Reason::GisObjectOnly]);
    ambiguous(&view, &[], &[Reason::GisObjectOnly]);
}

#[test]
fn a_room_and_its_flat_are_not_one() {
    let candidates = ambiguous(&asks("кв. 1"), &[owes(1, "кв. 1 комн. 2")], &[Reason::PremisesPartial]);
    assert_eq!((candidates[0].premises, candidates[0].counts), (PremisesRule::Room, false));
    assert!((candidates[0].score() - 0.8).abs() < f64::EPSILON);
    ambiguous(&asks("кв. 1 комн. 2"), &[owes(1, "кв. 1")], &[Reason::PremisesPartial]);
    not_found(&asks("кв. 1 комн. 2"), &[owes(1, "кв. 1 комн. 3")], Basis::NoRowsOfPremises);
    // The debt of the flat itself is certain, whatever its rooms owe.
    found(&asks("кв. 1"), &[owes(1, "кв. 1 комн. 2"), owes(2, "кв. 1")], &[2]);
}

#[test]
fn spellings_that_may_mean_one_flat_are_ambiguous() {
    for (request, row) in [("кв. 1", "кв. 1а"), ("кв. 12/1", "12-1"), ("кв. 5", "пом. 5"), ("кв. 12", "12/1")]
    {
        let candidates = ambiguous(&asks(request), &[owes(1, row)], &[Reason::PremisesPartial]);
        assert_eq!(candidates[0].premises, PremisesRule::Unclear);
    }
    for (request, row) in [("кв. 1", "пристройка"), ("б/н", "кв. 1"), ("пристройка", "пристройка")]
    {
        let candidates = ambiguous(&asks(request), &[owes(1, row)], &[Reason::PremisesPartial]);
        assert_eq!(candidates[0].premises, PremisesRule::NotUnderstood);
    }
}

#[test]
fn premises_that_are_missing_are_not_guessed() {
    let candidates = ambiguous(&asks(""), &[owes(1, "кв. 1")], &[Reason::PremisesMissing]);
    assert_eq!(candidates[0].premises, PremisesRule::MissingInRequest);
    let candidates = ambiguous(&asks("кв. 1"), &[owes(1, "")], &[Reason::PremisesMissing]);
    assert_eq!(candidates[0].premises, PremisesRule::MissingInRegistry);
    // A house that owes as a whole and has flats that owe contradicts itself.
    ambiguous(&asks(""), &[owes(1, ""), owes(2, "кв. 5")], &[Reason::PremisesMissing]);
    // Nobody in the house owes any more.
    not_found(&asks(""), &[repaid(1, "кв. 1", "2026-01-15")], Basis::NoRowsOfPremises);
}

#[test]
fn a_house_without_flats_is_a_place_of_its_own() {
    for written in ["", "-", "жилой дом"] {
        found(&asks(written), &[owes(1, "")], &[1]);
    }
    let view = asks_object("house", "обл. Примерная, д. Тестовка, д. 3");
    found(&view, &[owes(1, "-")], &[1]);
    assert_eq!(match_of(&view, &[owes(1, "-")]).candidates[0].premises, PremisesRule::SameHouse);
    not_found(&view, &[], Basis::NoRowsOfHouse);
}

#[test]
fn the_flat_is_taken_from_the_address_where_the_form_has_no_other_place() {
    let view = asks_object("apartment", &format!("{TEXT}, кв. 12"));
    found(&view, &[owes(1, "12")], &[1]);
    not_found(&view, &[owes(1, "13")], Basis::NoRowsOfPremises);
    let nameless = asks_object("apartment", TEXT);
    ambiguous(&nameless, &[owes(1, "12")], &[Reason::PremisesMissing]);
    not_found(&nameless, &[], Basis::NoRowsOfHouse);
}

#[test]
fn the_kind_of_the_object_is_heeded() {
    let room = asks_object("room", &format!("{TEXT}, кв. 12"));
    ambiguous(&room, &[owes(1, "12")], &[Reason::PremisesPartial]);
    ambiguous(&room, &[owes(1, "кв. 12 комн. 1")], &[Reason::PremisesPartial]);
    not_found(&room, &[owes(1, "13")], Basis::NoRowsOfPremises);
    found(&asks_object("room", &format!("{TEXT}, кв. 12, комн. 1")), &[owes(1, "кв. 12 комн. 1")], &[1]);
    let house_with_flat = asks_object("house", &format!("{TEXT}, кв. 12"));
    ambiguous(&house_with_flat, &[owes(1, "12")], &[Reason::PremisesPartial]);
    let mut block = asks_object("house_block", TEXT);
    block.address.premises = Some("2".to_owned());
    found(&block, &[owes(1, "блок 2")], &[1]);
    ambiguous(&block, &[owes(1, "2")], &[Reason::PremisesPartial]);
    let unknown_word = asks_object("дом", TEXT);
    ambiguous(&unknown_word, &[owes(1, "")], &[Reason::PremisesMissing]);
}

#[test]
fn two_places_of_a_request_that_name_the_flat_must_not_contradict_each_other() {
    let mut view = asks("кв. 12");
    view.address.text = Some(format!("{TEXT}, кв. 13"));
    ambiguous(&view, &[owes(1, "12")], &[Reason::PremisesPartial]);
    ambiguous(&view, &[owes(1, "13")], &[Reason::PremisesPartial]);
    not_found(&view, &[owes(1, "14")], Basis::NoRowsOfPremises);
    view.address.text = Some(format!("{TEXT}, кв. 12"));
    found(&view, &[owes(1, "12")], &[1]);
    view.address.premises = Some("кв. 12 комн. 1".to_owned());
    found(&view, &[owes(1, "кв. 12 комн. 1")], &[1]);
    view.address.premises = Some("кв. 12".to_owned());
    view.address.text = Some(format!("{TEXT}, кв. 12, комн. 1"));
    ambiguous(&view, &[owes(1, "кв. 12")], &[Reason::PremisesPartial]);
    // What follows the flat in words takes nothing away from the field.
    view.address.text = Some(format!("{TEXT}, кв. 12, второй вход"));
    found(&view, &[owes(1, "кв. 12")], &[1]);
}

#[test]
fn a_number_behind_the_house_without_a_word_is_not_taken_for_nothing() {
    let mut view = asks("");
    view.address.text = Some("ул. Ткацкая, 1, 12".to_owned());
    ambiguous(&view, &[owes(1, "")], &[Reason::PremisesMissing]);
    view.address.text = Some("ул. Ткацкая, 1".to_owned());
    found(&view, &[owes(1, "")], &[1]);
}

#[test]
fn the_address_text_is_a_second_opinion() {
    let wrong = at(owes(1, "12"), "г. Новолесск, ул. Ткацкая, д. 2");
    let candidates = ambiguous(&asks("кв. 12"), std::slice::from_ref(&wrong), &[Reason::AddressTextDiffers]);
    assert_eq!((candidates[0].address, candidates[0].counts), (AddressRule::Differs, false));
    let street = at(owes(1, "12"), "г. Новолесск, ул. Кедровая, д. 1");
    ambiguous(&asks("кв. 12"), &[street], &[Reason::AddressTextDiffers]);
    not_found(&asks("кв. 13"), &[wrong], Basis::NoRowsOfPremises);
    for text in ["Ткацкая ул., дом № 1", "ул Ткацкая, 1", "дом у реки", ""] {
        found(&asks("кв. 12"), &[at(owes(1, "12"), text)], &[1]);
    }
}

#[test]
fn a_debt_repaid_before_the_request_is_shown_and_does_not_count() {
    let candidates = not_found(&asks("кв. 12"), &[repaid(1, "12", "2026-11-01")], Basis::AllRepaid);
    assert_eq!((candidates[0].premises, candidates[0].dates), (PremisesRule::Same, DatesRule::RepaidBefore));
    // Repaid debts of rooms or of other spellings explain nothing.
    let others = [repaid(1, "кв. 12 комн. 1", "2026-01-15"), repaid(2, "12а", "2026-01-15")];
    assert!(not_found(&asks("кв. 12"), &others, Basis::NoRowsOfPremises).is_empty());
}

#[test]
fn a_debt_repaid_on_the_day_of_the_request_or_later_is_left_to_people() {
    for on in ["2026-11-02", "2026-11-03", "2026-11-05", "2027-01-15"] {
        let candidates = ambiguous(&asks("кв. 12"), &[repaid(1, "12", on)], &[Reason::NotInPeriod]);
        assert_eq!(candidates[0].dates, DatesRule::RepaidLater);
    }
    let mut view = asks("кв. 12");
    view.sent_on = None;
    ambiguous(&view, &[repaid(1, "12", "2024-01-15")], &[Reason::NotInPeriod]);
}

/// F57: one address is one row of a workbook, further debtors and decisions are words beside it.
#[test]
fn f57_a_repaid_row_that_says_more_may_hide_an_open_decision() {
    let long_ago = || repaid(1, "12", "2026-01-15");
    for (row, dates) in [
        (noted(long_ago()), DatesRule::RepaidUnclear),
        (by_hand(noted(long_ago())), DatesRule::RepaidUnclear),
        (noted(repaid(1, "12", "2026-11-03")), DatesRule::RepaidUnclear),
        (repaid(1, "12", "2026-11-03"), DatesRule::RepaidLater),
    ] {
        let candidates = ambiguous(&asks("кв. 12"), &[row], &[Reason::NotInPeriod]);
        assert_eq!(candidates[0].dates, dates);
    }
    not_found(&asks("кв. 12"), &[long_ago()], Basis::AllRepaid);
    // What is not repaid counts with all that stands beside it.
    found(&asks("кв. 12"), &[noted(owes(1, "12"))], &[1]);
    // The decision that is hidden there may be that of the room.
    let room = noted(repaid(1, "кв. 12 комн. 1", "2026-01-15"));
    ambiguous(&asks("кв. 12"), &[room], &[Reason::PremisesPartial, Reason::NotInPeriod]);
    not_found(&asks("кв. 13"), &[noted(long_ago())], Basis::NoRowsOfPremises);
    // A decision that is known to be open outweighs it; in a workbook it is the second row of one address.
    found(&asks("кв. 12"), &[by_hand(noted(long_ago())), by_hand(owes(2, "12"))], &[2]);
}

#[test]
fn a_debt_cannot_be_repaid_before_its_decision() {
    for (on, dates) in [
        ("2025-03-13", DatesRule::RepaidUnclear),
        ("2025-03-14", DatesRule::RepaidBefore),
        ("2025-03-15", DatesRule::RepaidBefore),
    ] {
        let decision = match_of(&asks("кв. 12"), &[repaid(1, "12", on)]);
        assert_eq!(decision.candidates[0].dates, dates, "{on}");
        let expected =
            if dates == DatesRule::RepaidBefore { MatchResult::NotFound } else { MatchResult::Ambiguous };
        assert_eq!(decision.result, expected, "{on}");
    }
}

#[test]
fn another_registry_stands_in_the_way_of_no_debt_alone() {
    let asked = asks("кв. 12");
    let debt = match_of(&asked, &[owes(1, "12")]);
    let doubt = match_of(&asked, &[owes(2, "12/1")]);
    let none = match_of(&asked, &[owes(3, "13")]);
    for (own, others) in [(&debt, [&doubt, &none]), (&doubt, [&doubt, &none]), (&none, [&none, &none])] {
        for other in others {
            assert_eq!(&own.clone().against(other.clone()), own);
        }
    }
    for (own, other, reasons) in [
        (&none, &debt, vec![Reason::OtherRegistry]),
        (&none, &doubt, vec![Reason::PremisesPartial, Reason::OtherRegistry]),
        (&doubt, &debt, vec![Reason::PremisesPartial, Reason::OtherRegistry]),
    ] {
        let joint = own.clone().against(other.clone());
        assert_eq!((joint.result, joint.basis), (MatchResult::Ambiguous, Basis::Doubt));
        assert_eq!(joint.reasons, reasons);
        assert_eq!(joint.candidates[0].id, other.candidates[0].id, "its rows come first");
        assert_eq!(joint.counting, [], "no answer is made of them");
        assert_eq!(joint.candidates.len(), own.candidates.len() + other.candidates.len());
    }
}

#[test]
fn every_row_that_counts_is_known_however_many_are_shown() {
    let rows: Vec<Entry> = (1..=30).map(|number| by_hand(owes(number, "12"))).collect();
    let decision = match_of(&asks("кв. 12"), &rows);
    assert_eq!((decision.result, decision.candidates.len()), (MatchResult::Found, MOST_CANDIDATES));
    assert_eq!((decision.counting.len(), decision.more_candidates), (30, 10));
    let joint = match_of(&asks("кв. 12"), &[]).against(decision);
    assert_eq!((joint.candidates.len(), joint.more_candidates), (MOST_CANDIDATES, 10));
}

#[test]
fn a_decision_in_force_after_the_period_is_left_to_people() {
    let from = |text: &str| [Entry { in_force_from: day(text), ..owes(1, "12") }];
    found(&asks("кв. 12"), &from("2026-11-02"), &[1]);
    for late in ["2026-11-03", "2026-11-05", "2030-01-15"] {
        let candidates = ambiguous(&asks("кв. 12"), &from(late), &[Reason::NotInPeriod]);
        assert_eq!(candidates[0].dates, DatesRule::AfterPeriod);
    }
    // Another decision for the same flat settles it.
    found(&asks("кв. 12"), &[by_hand(from("2026-11-03")[0].clone()), by_hand(owes(2, "12"))], &[2]);
}

#[test]
fn a_decision_of_long_ago_counts_and_says_so() {
    let from = |text: &str| [Entry { in_force_from: day(text), ..owes(1, "12") }];
    found(&asks("кв. 12"), &from("2023-11-01"), &[1]);
    let dates = |text| match_of(&asks("кв. 12"), &from(text)).candidates[0].dates;
    assert_eq!(dates("2023-11-01"), DatesRule::InForceLongAgo);
    assert_eq!(dates("2023-11-02"), DatesRule::InForce);
}

#[test]
fn a_period_without_an_end_ends_with_the_request() {
    let mut view = asks("кв. 12");
    view.period_from = None;
    view.period_to = None;
    let row = |text: &str| [Entry { in_force_from: day(text), ..owes(1, "12") }];
    found(&view, &row("2026-11-02"), &[1]);
    ambiguous(&view, &row("2026-11-03"), &[Reason::NotInPeriod]);
    view.sent_on = None;
    found(&view, &row("2026-11-05"), &[1]);
    ambiguous(&view, &row("2026-11-06"), &[Reason::NotInPeriod]);
    view.address = Address::default();
    ambiguous(&view, &row("2026-11-05"), &[Reason::HouseUnknown]);
}

#[test]
fn days_of_a_request_that_lie_ahead_prove_nothing() {
    let mut view = asks("кв. 12");
    view.period_to = Some(day("2026-12-31"));
    view.sent_on = Some(day("2026-12-31"));
    ambiguous(&view, &[Entry { in_force_from: day("2026-11-06"), ..owes(1, "12") }], &[Reason::NotInPeriod]);
    ambiguous(&view, &[repaid(1, "12", "2026-11-05")], &[Reason::NotInPeriod]);
    not_found(&view, &[repaid(1, "12", "2026-11-04")], Basis::AllRepaid);
}

#[test]
fn one_address_has_one_row_in_a_workbook() {
    ambiguous(&asks("кв. 12"), &[owes(1, "12"), owes(2, "кв. 12")], &[Reason::SeveralRows]);
    // One of them says that it is repaid: which one is out of date?
    ambiguous(&asks("кв. 12"), &[owes(1, "12"), repaid(2, "12", "2026-01-15")], &[Reason::SeveralRows]);
    let both_repaid = [repaid(1, "12", "2026-01-15"), repaid(2, "12", "2026-02-16")];
    not_found(&asks("кв. 12"), &both_repaid, Basis::AllRepaid);
}

#[test]
fn a_row_given_twice_is_one_row() {
    let row = owes(1, "12");
    found(&asks("кв. 12"), &[row.clone(), owes(2, "13"), row], &[1]);
}

#[test]
fn rows_added_one_by_one_are_several_decisions() {
    found(&asks("кв. 12"), &[by_hand(owes(1, "12")), by_hand(owes(2, "12"))], &[1, 2]);
    found(&asks("кв. 12"), &[owes(1, "12"), by_hand(owes(2, "12"))], &[1, 2]);
    found(&asks("кв. 12"), &[by_hand(repaid(1, "12", "2026-01-15")), by_hand(owes(2, "12"))], &[2]);
}

#[test]
fn every_doubt_has_its_reason_once_and_in_order() {
    let late =
        Entry { in_force_from: day("2026-11-03"), ..at(owes(1, "12"), "ул. Кедровая, д. 1") };
    let rows = [late.clone(), owes(2, "кв. 12 комн. 1"), owes(3, "12/1"), owes(4, ""), late];
    let reasons =
        [Reason::PremisesMissing, Reason::PremisesPartial, Reason::AddressTextDiffers, Reason::NotInPeriod];
    let candidates = ambiguous(&asks("кв. 12"), &rows, &reasons);
    assert!(candidates.windows(2).all(|pair| pair[0].score() >= pair[1].score()));
}

#[test]
fn long_lists_of_candidates_are_cut() {
    let rows: Vec<Entry> = (1..=200).map(|flat| owes(flat, &flat.to_string())).collect();
    let decision = match_of(&asks(""), &rows);
    assert_eq!((decision.candidates.len(), decision.more_candidates), (MOST_CANDIDATES, 180));
    assert_eq!(decision.reasons, [Reason::PremisesMissing]);
}

fn texts() -> impl Strategy<Value = Option<String>> {
    let premises = "((кв|комн|пом|блок|д)\\.? )?[0-9]{1,3}[аб]?(/[0-9])?( комн\\. [0-9])?";
    proptest::option::of(prop_oneof![any::<String>(), premises, Just("-".to_owned())])
}

prop_compose! {
    fn views()(
        text in texts(), premises in texts(), tail in texts(),
        object_type in prop::sample::select(vec![None, Some("house"), Some("apartment"), Some("room"), Some("?")]),
        ids in prop::array::uniform3(prop::sample::select(vec![None, Some(HOUSE), Some(IN_GIS), Some(OTHER_HOUSE)])),
        days in prop::array::uniform2(proptest::option::of(-400_000..400_000_i32)),
    ) -> GisView {
        let text = text.map(|text| format!("{TEXT} {text} {}", tail.unwrap_or_default()));
        let day = |days: Option<i32>| days.and_then(NaiveDate::from_epoch_days);
        let address = Address {
            text, premises,
            object_type: object_type.map(str::to_owned),
            fias_house_id: ids[0], gis_house_id: ids[1], gis_object_id: ids[2],
        };
        GisView { address, period_to: day(days[0]), sent_on: day(days[1]), ..asks("") }
    }
}

prop_compose! {
    fn entries()(
        premises in texts(), address in texts(), single in any::<bool>(), noted in any::<bool>(),
        other in any::<bool>(), gis in proptest::option::of(Just(IN_GIS)), number in any::<u128>(),
        from in 0..30_000_i32, repaid in proptest::option::of(0..30_000_i32),
    ) -> Entry {
        let day = |days| NaiveDate::from_epoch_days(days).unwrap();
        Entry {
            fias_house_id: if other { OTHER_HOUSE } else { HOUSE },
            gis_house_id: gis,
            address: address.map(Into::into),
            in_force_from: day(from),
            repaid_on: repaid.map(day),
            noted,
            origin: if single { Origin::Single } else { Origin::Workbook },
            ..owes(number, &premises.unwrap_or_default())
        }
    }
}

proptest! {
    #[test]
    fn whatever_comes_is_decided_and_explained(
        view in views(),
        rows in prop::collection::vec(entries(), 0..6),
    ) {
        let decision = match_of(&view, &rows);
        let counting = decision.candidates.iter().filter(|row| row.counts);
        match decision.result {
            MatchResult::Found => prop_assert!(counting.count() > 0 && decision.reasons.is_empty()),
            MatchResult::NotFound => prop_assert!(counting.count() == 0 && decision.reasons.is_empty()),
            MatchResult::Ambiguous => prop_assert!(!decision.reasons.is_empty()),
        }
        prop_assert_eq!(decision.basis == Basis::Doubt, decision.result == MatchResult::Ambiguous);
        // The order of the rows decides nothing.
        let mut backwards = rows.clone();
        backwards.reverse();
        let again = match_of(&view, &backwards);
        prop_assert_eq!((again.result, again.reasons), (decision.result, decision.reasons));
    }

    #[test]
    fn not_found_means_that_no_row_could_be_meant(premises in texts(), rows in prop::collection::vec(entries(), 1..6)) {
        let view = asks(premises.as_deref().unwrap_or_default());
        if match_of(&view, &rows).result == MatchResult::NotFound {
            let asked = Premises::read(premises.as_deref().unwrap_or_default());
            for row in rows.iter().filter(|row| row.fias_house_id == HOUSE && (row.repaid_on.is_none() || row.noted)) {
                prop_assert_eq!(asked.relation(&row.premises), crate::domain::premises::Relation::Different);
            }
        }
    }
}
