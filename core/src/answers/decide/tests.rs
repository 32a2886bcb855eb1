use super::*;

const SEND: Wish<'_> = Wish { submit: true, confirm: &[], reason: false };
const DRAFT: Wish<'_> = Wish { submit: false, confirm: &[], reason: false };

const fn calm() -> Situation {
    Situation {
        draft: None,
        earlier: None,
        automatic: false,
        answered_elsewhere: false,
        gone: false,
        near_deadline: false,
        registry_disagrees: false,
        correction: Correction::RevokeThenSend,
    }
}

fn after(standing: Standing, same: bool) -> Situation {
    Situation { earlier: Some(Earlier { standing, same, elsewhere: false }), ..calm() }
}

fn beside(own: bool, same: bool) -> Situation {
    Situation { draft: Some(Draft { own, same }), ..calm() }
}

const fn go(earlier: EarlierStep) -> Result<Decision, Refusal> {
    Ok(Decision::Go { draft: DraftStep::Absent, earlier })
}

const fn with_draft(draft: DraftStep) -> Result<Decision, Refusal> {
    Ok(Decision::Go { draft, earlier: EarlierStep::LetBe })
}

fn unconfirmed(codes: &[Confirm]) -> Result<Decision, Refusal> {
    Err(Refusal::Unconfirmed(codes.to_vec()))
}

const IN_FORCE: Standing = Standing::Delivered { contradicted: false };
const CONTRADICTED: Standing = Standing::Delivered { contradicted: true };

#[test]
fn the_table_of_earlier_answers() {
    let same = Ok(Decision::SameAsEarlier);
    // Standing, then: the same content, other content.
    for (standing, with_same, with_other) in [
        (Standing::Queued, same.clone(), go(EarlierStep::Replace)),
        (Standing::InFlight, same.clone(), go(EarlierStep::WaitFor)),
        (Standing::Revoking, go(EarlierStep::WaitFor), go(EarlierStep::WaitFor)),
        (IN_FORCE, same, unconfirmed(&[Confirm::AlreadyAnswered])),
        (CONTRADICTED, go(EarlierStep::LetBe), unconfirmed(&[Confirm::AlreadyAnswered])),
    ] {
        assert_eq!(decide(&after(standing, true), SEND), with_same, "{standing:?}, same");
        assert_eq!(decide(&after(standing, false), SEND), with_other, "{standing:?}, other");
    }
    assert_eq!(decide(&calm(), SEND), go(EarlierStep::LetBe));
}

#[test]
fn an_answer_from_elsewhere_is_written_over_and_never_withdrawn() {
    let with = |confirm| Wish { submit: true, confirm, reason: true };
    let confirmed = with(&[Confirm::AlreadyAnswered]);
    let unread = Situation { answered_elsewhere: true, near_deadline: true, ..calm() };
    let earlier = Earlier { standing: IN_FORCE, same: false, elsewhere: true };
    let recorded = Situation { earlier: Some(earlier), ..unread };
    for situation in [unread, recorded] {
        assert_eq!(decide(&situation, with(&[])), unconfirmed(&[Confirm::AlreadyAnswered]));
        assert_eq!(decide(&situation, Wish { reason: false, ..confirmed }), Err(Refusal::ReasonMissing));
        assert_eq!(decide(&situation, confirmed), go(EarlierStep::LetBe));
    }
    let same = Situation { earlier: Some(Earlier { same: true, ..earlier }), ..unread };
    assert_eq!(decide(&same, with(&[])), Ok(Decision::SameAsEarlier));
}

#[test]
fn the_table_of_drafts() {
    let foreign = unconfirmed(&[Confirm::DraftExists]);
    // Own, same content, then: kept as a draft, sent.
    for (own, same, kept, sent) in [
        (true, true, Ok(Decision::SameAsDraft), with_draft(DraftStep::Submit)),
        (true, false, with_draft(DraftStep::Replace), with_draft(DraftStep::Replace)),
        (false, true, Ok(Decision::SameAsDraft), Ok(Decision::SameAsDraft)),
        (false, false, foreign.clone(), foreign),
    ] {
        assert_eq!(decide(&beside(own, same), DRAFT), kept, "own {own}, same {same}, kept");
        assert_eq!(decide(&beside(own, same), SEND), sent, "own {own}, same {same}, sent");
    }
    let confirmed = Wish { confirm: &[Confirm::DraftExists], ..DRAFT };
    assert_eq!(decide(&beside(false, false), confirmed), with_draft(DraftStep::Replace));
}

#[test]
fn a_draft_leaves_the_earlier_answer_alone() {
    for standing in [Standing::Queued, Standing::InFlight, Standing::Revoking] {
        assert_eq!(decide(&after(standing, false), DRAFT), go(EarlierStep::LetBe), "{standing:?}");
    }
}

#[test]
fn an_answer_submitted_already_counts_before_a_draft() {
    let situation = Situation { draft: Some(Draft { own: false, same: false }), ..after(IN_FORCE, true) };
    assert_eq!(decide(&situation, SEND), Ok(Decision::SameAsEarlier));
    let situation =
        Situation { draft: Some(Draft { own: true, same: true }), ..after(Standing::InFlight, false) };
    let expected = Ok(Decision::Go { draft: DraftStep::Submit, earlier: EarlierStep::WaitFor });
    assert_eq!(decide(&situation, SEND), expected);
}

#[test]
fn a_correction_is_confirmed_and_has_a_reason() {
    let situation = after(IN_FORCE, false);
    let confirmed = Wish { confirm: &[Confirm::AlreadyAnswered], ..SEND };
    assert_eq!(decide(&situation, confirmed), Err(Refusal::ReasonMissing));
    let reasoned = Wish { reason: true, ..confirmed };
    assert_eq!(decide(&situation, reasoned), go(EarlierStep::Revoke));
    let overwrite = Situation { correction: Correction::Overwrite, ..situation };
    assert_eq!(decide(&overwrite, reasoned), go(EarlierStep::LetBe));
    assert_eq!(decide(&situation, Wish { submit: false, ..reasoned }), go(EarlierStep::LetBe));
}

#[test]
fn where_gis_answered_by_itself_after_all_there_is_nothing_to_withdraw() {
    let confirm = &[Confirm::AlreadyAnswered, Confirm::AutoGeneratedByGis];
    let confirmed = Wish { submit: true, confirm, reason: true };
    let lost = Situation { automatic: true, ..after(CONTRADICTED, false) };
    assert_eq!(decide(&lost, confirmed), go(EarlierStep::LetBe));
    // The view may still lag.
    let lagging = Situation { automatic: true, ..after(IN_FORCE, false) };
    assert_eq!(decide(&lagging, confirmed), go(EarlierStep::Revoke));
    let again = Situation { automatic: true, ..after(CONTRADICTED, true) };
    assert_eq!(decide(&again, SEND), unconfirmed(&[Confirm::AutoGeneratedByGis]));
}

#[test]
fn near_the_deadline_only_a_gap_is_dangerous() {
    let near = |situation| Situation { near_deadline: true, ..situation };
    let late = [Confirm::AlreadyAnswered, Confirm::CorrectionTooLate];
    let correction = near(after(IN_FORCE, false));
    assert_eq!(decide(&correction, SEND), unconfirmed(&late));
    assert_eq!(decide(&correction, DRAFT), unconfirmed(&late[..1]));
    let overwrite = Situation { correction: Correction::Overwrite, ..correction };
    assert_eq!(decide(&overwrite, SEND), unconfirmed(&late[..1]));
    let confirmed = Wish { submit: true, confirm: &late, reason: true };
    assert_eq!(decide(&correction, confirmed), go(EarlierStep::Revoke));
    for situation in [calm(), after(Standing::Queued, false), after(CONTRADICTED, true)] {
        assert!(matches!(decide(&near(situation), SEND), Ok(Decision::Go { .. })), "{situation:?}");
    }
}

#[test]
fn no_debt_against_the_registry_is_confirmed_when_it_is_sent() {
    let situation = Situation { registry_disagrees: true, ..calm() };
    assert_eq!(decide(&situation, DRAFT), go(EarlierStep::LetBe), "a draft says nothing to GIS");
    assert_eq!(decide(&situation, SEND), unconfirmed(&[Confirm::RegistryDisagrees]));
    let confirm = &[Confirm::RegistryDisagrees];
    assert_eq!(decide(&situation, Wish { confirm, ..SEND }), go(EarlierStep::LetBe));
    let same = Situation { registry_disagrees: true, ..after(IN_FORCE, true) };
    assert_eq!(decide(&same, SEND), Ok(Decision::SameAsEarlier), "nothing new is said");
}

#[test]
fn every_missing_confirmation_is_named_and_unused_ones_are_ignored() {
    let worst = Situation {
        draft: Some(Draft { own: false, same: false }),
        automatic: true,
        near_deadline: true,
        ..after(IN_FORCE, false)
    };
    let all = [
        Confirm::DraftExists,
        Confirm::AlreadyAnswered,
        Confirm::AutoGeneratedByGis,
        Confirm::CorrectionTooLate,
    ];
    assert_eq!(decide(&worst, SEND), unconfirmed(&all));
    assert_eq!(decide(&worst, Wish { confirm: &all[1..], ..SEND }), unconfirmed(&all[..1]));
    assert_eq!(decide(&calm(), Wish { confirm: Confirm::ALL, ..SEND }), go(EarlierStep::LetBe));
    let automatic = Situation { automatic: true, ..calm() };
    assert_eq!(decide(&automatic, SEND), unconfirmed(&[Confirm::AutoGeneratedByGis]));
    assert_eq!(decide(&automatic, Wish { confirm: &all, ..SEND }), go(EarlierStep::LetBe));
}

#[test]
fn nobody_is_left_to_answer_a_request_that_is_gone() {
    let gone = Situation { gone: true, ..calm() };
    assert_eq!(decide(&gone, Wish { confirm: Confirm::ALL, ..SEND }), Err(Refusal::Gone));
    let answered = Situation { gone: true, ..after(IN_FORCE, true) };
    assert_eq!(decide(&answered, SEND), Ok(Decision::SameAsEarlier));
}
