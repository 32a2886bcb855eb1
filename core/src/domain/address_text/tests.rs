use proptest::prelude::*;

use super::*;

struct Case {
    line: usize,
    check: &'static str,
    first: &'static str,
    second: &'static str,
}

fn table() -> Vec<Case> {
    let lines = include_str!("cases.tsv").lines().zip(1..);
    let rows = lines.filter(|(line, _)| !line.is_empty() && !line.starts_with('#'));
    rows.map(|(text, line)| {
        let mut columns = text.split('\t');
        let mut next = || columns.next().unwrap_or_default();
        Case { line, check: next(), first: next(), second: next() }
    })
    .collect()
}

fn found(case: &Case) -> String {
    let (first, second) = (AddressText::read(case.first), AddressText::read(case.second));
    let premises = || first.premises().map(|premises| premises.key().as_str().to_owned()).unwrap_or_default();
    match case.check {
        "помещение" | "дом" | "остаток" if !first.is_read_to_end() => "остаток".to_owned(),
        "помещение" | "дом" | "остаток" if first.premises().is_none() => "дом".to_owned(),
        "помещение" | "дом" | "остаток" if premises() == case.second => {
            "помещение".to_owned()
        }
        "помещение" | "дом" | "остаток" => premises(),
        _ if first.agreement(&second) != second.agreement(&first) => "с какой стороны посмотреть".to_owned(),
        _ => match first.agreement(&second) {
            Agreement::Agree => "совпадает".to_owned(),
            Agreement::Differ => "расходится".to_owned(),
            Agreement::Unreadable => "непонятно".to_owned(),
        },
    }
}

#[test]
fn the_table_holds() {
    let cases = table();
    let faults: Vec<String> = cases
        .iter()
        .filter(|case| found(case) != case.check)
        .map(|case| {
            let Case { line, check, first, second } = case;
            format!("cases.tsv:{line}: «{first}» «{second}»: должно быть {check}, получилось {}", found(case))
        })
        .collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    assert!(cases.len() >= 100, "the table has only {} rows", cases.len());
}

#[test]
fn every_address_agrees_with_itself_or_says_nothing() {
    for case in table() {
        let address = AddressText::read(case.first);
        assert_ne!(address.agreement(&address), Agreement::Differ, "{}", case.first);
    }
}

#[test]
fn nothing_is_printed_for_debugging() {
    assert_eq!(format!("{:?}", AddressText::read("ул. Мира, д. 5")), "AddressText(***)");
}

#[test]
fn a_block_without_its_word_is_read_where_the_object_is_one() {
    let address = AddressText::read_as("ул. Мира, д. 5, блок 2", BareNumber::Block);
    assert_eq!(address.premises().unwrap().key().as_str(), "блок 2");
}

proptest! {
    #[test]
    fn no_text_is_too_strange(one in any::<String>(), two in any::<String>()) {
        let (one, two) = (AddressText::read(&one), AddressText::read(&two));
        prop_assert_eq!(one.agreement(&two), two.agreement(&one));
        prop_assert_ne!(one.agreement(&one), Agreement::Differ);
    }

    #[test]
    fn addresses_like_those_of_people_compare_the_same_way_round(
        texts in prop::collection::vec(
            "((ул|г|д|кв|к|стр|лит|пр-кт|набережная|мира|а|б|третья|3-я|5|12|000000)[ .,/-]{1,2}){0,9}", 2),
    ) {
        let [one, two] = [AddressText::read(&texts[0]), AddressText::read(&texts[1])];
        prop_assert_eq!(one.agreement(&two), two.agreement(&one));
        prop_assert_ne!(one.agreement(&one), Agreement::Differ, "{}", texts[0]);
    }

    #[test]
    fn two_house_numbers_never_agree(one in 1..200_u32, two in 1..200_u32, form in 0..4_usize) {
        let write = |number: u32| match form {
            0 => format!("г. Новолесск, ул. Ткацкая, д. {number}, кв. 7"),
            1 => format!("Ткацкая ул. {number}"),
            2 => format!("ул. Ткацкая, {number}к1"),
            _ => format!("д. Тестовка, д. {number}"),
        };
        let agreement = AddressText::read(&write(one)).agreement(&AddressText::read(&write(two)));
        prop_assert_eq!(agreement, if one == two { Agreement::Agree } else { Agreement::Differ });
    }
}
