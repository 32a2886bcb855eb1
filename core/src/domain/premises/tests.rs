use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// A row of the table: the check, the text, the second text or the kind of the object, the meaning.
struct Case {
    line: usize,
    check: &'static str,
    first: &'static str,
    second: &'static str,
    meaning: &'static str,
}

impl fmt::Display for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "cases.tsv:{}: {} «{}» «{}»", self.line, self.check, self.first, self.second)
    }
}

fn table() -> Vec<Case> {
    let lines = include_str!("cases.tsv").lines().zip(1..);
    let rows = lines.filter(|(line, _)| !line.is_empty() && !line.starts_with('#'));
    rows.map(|(text, line)| {
        let mut columns = text.split('\t');
        let mut next = || columns.next().unwrap_or_default();
        Case { line, check: next(), first: next(), second: next(), meaning: next() }
    })
    .collect()
}

fn key(text: &str) -> String {
    Premises::read(text).key().as_str().to_owned()
}

fn fault(case: &Case) -> Option<String> {
    let wanted = match case.check {
        "читается" => return fault_of_reading(case),
        "не понято" => {
            let understood = Premises::read(case.first).is_understood();
            return understood.then(|| format!("{case}: понято как «{}»", key(case.first)));
        }
        "одно" => Relation::Same,
        "разные" => Relation::Different,
        "часть" => Relation::Partial,
        "неясно" => Relation::Unclear,
        "не указано" => Relation::Missing,
        other => return Some(format!("{case}: нет такой проверки: {other}")),
    };
    let (first, second) = (Premises::read(case.first), Premises::read(case.second));
    let found = (first.relation(&second), second.relation(&first));
    let keys = format!("«{}» «{}»", key(case.first), key(case.second));
    (found != (wanted, wanted)).then(|| format!("{case}: получилось {found:?}, прочитано {keys}"))
}

fn fault_of_reading(case: &Case) -> Option<String> {
    let bare = match case.second {
        "" => BareNumber::Flat,
        "блок" => BareNumber::Block,
        other => return Some(format!("{case}: нет такого вида объекта: {other}")),
    };
    let premises = Premises::read_as(case.first, bare);
    let found = premises.key().as_str().to_owned();
    let good = premises.is_understood() && found == case.meaning;
    (!good).then(|| format!("{case}: должно быть «{}», получилось «{found}»", case.meaning))
}

#[test]
fn the_table_holds() {
    let cases = table();
    assert!(cases.len() >= 150, "the table has only {} rows", cases.len());
    let faults: Vec<String> = cases.iter().filter_map(fault).collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn one_key_means_one_place_in_the_whole_table() {
    let mut meanings: BTreeMap<String, String> = BTreeMap::new();
    for case in table().iter().filter(|case| case.check == "читается" && case.second.is_empty()) {
        let earlier = meanings.insert(key(case.first), case.meaning.to_owned());
        assert!(earlier.is_none_or(|meaning| meaning == case.meaning), "{case}");
    }
    assert!(meanings.len() >= 40, "only {} places", meanings.len());
}

#[test]
fn every_pair_of_the_table_is_compared_the_same_way_round() {
    let texts: Vec<&str> = table().iter().flat_map(|case| [case.first, case.second]).collect();
    let read: Vec<(&str, Premises)> = texts.into_iter().map(|text| (text, Premises::read(text))).collect();
    for (one_text, one) in &read {
        for (two_text, two) in &read {
            let relation = one.relation(two);
            assert_eq!(relation, two.relation(one), "«{one_text}» «{two_text}»");
            let same_key = one.key() == two.key() && one.is_understood();
            assert_eq!(relation == Relation::Same, same_key, "«{one_text}» «{two_text}»");
        }
    }
}

#[test]
fn nothing_is_printed_for_debugging() {
    let premises = Premises::read("кв. 12");
    assert_eq!(format!("{premises:?} {:?}", premises.key()), "Premises(***) PremisesKey(***)");
}

#[test]
fn long_texts_are_not_understood_and_cost_little() {
    let long = "кв. 1 ".repeat(1_000_000);
    let premises = Premises::read(&long);
    assert!(!premises.is_understood());
    assert!(premises.key().as_str().chars().count() <= LONGEST_KEPT + 1);
}

/// A flat that can exist, and a way to write it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Flat {
    number: u16,
    letter: Option<char>,
    fraction: Option<u16>,
    room: Option<u16>,
}

fn flats() -> impl Strategy<Value = Flat> {
    // Without в, which is a preposition in `1 в комн. 2`.
    let letter = proptest::option::of(prop::sample::select(vec!['а', 'б', 'г', 'д', 'е', 'ж', 'н']));
    let few = || proptest::option::weighted(0.3, 1..=20_u16);
    (1..=30_u16, letter, few(), few()).prop_map(|(number, letter, fraction, room)| Flat {
        number,
        letter,
        fraction,
        room,
    })
}

/// A way to write a flat down.
#[derive(Debug, Clone)]
struct Spelling {
    before: &'static str,
    gap: &'static str,
    capital: bool,
    slash: &'static str,
    room: &'static str,
    after: &'static str,
}

impl Spelling {
    fn write(&self, flat: &Flat) -> String {
        let letter = flat.letter.map_or_else(String::new, |letter| {
            let letter = if self.capital { letter.to_uppercase().to_string() } else { letter.to_string() };
            format!("{}{letter}", self.gap)
        });
        let fraction = flat.fraction.map_or_else(String::new, |part| format!("{}{part}", self.slash));
        let room = flat.room.map_or_else(String::new, |number| format!("{}{number}", self.room));
        format!("{}{}{letter}{fraction}{room}{}", self.before, flat.number, self.after)
    }
}

prop_compose! {
    fn spellings()(
        before in prop::sample::select(vec!["", "кв.", "кв. ", "кв ", "КВ. ", "квартира № ", "кB. ", "kв.\u{a0}"]),
        gap in prop::sample::select(vec!["", " ", "-"]),
        capital in any::<bool>(),
        slash in prop::sample::select(vec!["/", " / ", "\\"]),
        room in prop::sample::select(vec![" комн. ", ", ком. ", " комната ", ", комн.№"]),
        after in prop::sample::select(vec!["", " ", ".", "  "]),
    ) -> Spelling {
        Spelling { before, gap, capital, slash, room, after }
    }
}

proptest! {
    #[test]
    fn reading_the_normal_form_gives_it_again(text in any::<String>()) {
        let once = Premises::read(&text);
        let key = once.key();
        prop_assert!(key.as_str().chars().count() <= LONGEST);
        let again = Premises::read(key.as_str());
        prop_assert!(again.key() == key);
        prop_assert!(again == once);
    }

    #[test]
    fn texts_like_those_of_people_are_read_the_same_twice(
        text in "((кв|ком|комн|блок|пом|лит|эт|к|д|и|а|б|1|2|12|0|нет|дом|нежил|N|B|\\?)[ .,/№()«-]{0,2}){0,9}",
    ) {
        let once = Premises::read(&text);
        let again = Premises::read(once.key().as_str());
        prop_assert!(again == once, "{} -> {}", text, once.key().as_str());
        prop_assert_eq!(once.relation(&again) == Relation::Same, once.is_understood());
    }

    #[test]
    fn no_two_flats_become_one(one in flats(), two in flats(), write in spellings(), rewrite in spellings()) {
        let (first, second) = (Premises::read(&write.write(&one)), Premises::read(&rewrite.write(&two)));
        prop_assert!(first.is_understood(), "{}", write.write(&one));
        prop_assert!(second.is_understood(), "{}", rewrite.write(&two));
        prop_assert_eq!(one == two, first.key() == second.key());
        prop_assert_eq!(one == two, first.relation(&second) == Relation::Same);
        if one.number != two.number && one.fraction.is_none() && two.fraction.is_none() {
            prop_assert_eq!(first.relation(&second), Relation::Different);
        }
    }

    #[test]
    fn spellings_of_the_table_stay_apart(
        one in prop::sample::select(table().iter().map(|case| case.first).collect::<Vec<_>>()),
        two in prop::sample::select(table().iter().map(|case| case.first).collect::<Vec<_>>()),
        upper in any::<bool>(),
        around in prop::sample::select(vec!["", " ", "\u{200b}", "\u{a0}"]),
    ) {
        let changed = if upper { two.to_uppercase() } else { two.to_owned() };
        let changed = Premises::read(&format!("{around}{changed}{around}"));
        let (one, two) = (Premises::read(one), Premises::read(two));
        // A capital H looks like Н and a small one does not, so only one direction is certain.
        if changed.is_understood() && two.is_understood() {
            prop_assert!(changed.key() == two.key());
        }
        prop_assert_eq!(one.relation(&changed) == Relation::Same, one.is_understood() && one.key() == changed.key());
    }
}
