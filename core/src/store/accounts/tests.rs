//! The book of accounts on both databases.

use super::*;
use crate::store::samples::stored_organization;
use crate::store::test_db::for_both;

const HOUSE: Uuid = Uuid::from_u128(0xA);
const OTHER: Uuid = Uuid::from_u128(0xB);

fn book(organization: OrganizationId, rows: &[(Uuid, &str)]) -> Vec<Account> {
    let account = |(place, (house, premises)): (i64, &(Uuid, &str))| Account {
        organization,
        place,
        fias_house_id: *house,
        premises: (!premises.is_empty()).then(|| (*premises).to_owned()),
        unified_account: Some(format!("70НН{place}")),
        account: None,
    };
    (0..).zip(rows).map(account).collect()
}

#[test]
fn a_book_comes_back_and_is_replaced_as_a_whole() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let (ours, theirs) = (stored_organization(&mut tx).await, stored_organization(&mut tx).await);
        let first = book(ours, &[(HOUSE, "кв. 1"), (OTHER, ""), (HOUSE, "2")]);
        let foreign = book(theirs, &[(HOUSE, "кв. 1")]);
        replace(&mut tx, ours, first.clone()).await.unwrap();
        replace(&mut tx, theirs, foreign.clone()).await.unwrap();
        assert_eq!(page(&mut tx, ours, None, None, 9).await.unwrap(), first);
        assert_eq!(page(&mut tx, ours, None, Some(0), 1).await.unwrap(), first[1..2]);
        assert_eq!(page(&mut tx, ours, Some(HOUSE), Some(0), 9).await.unwrap(), first[2..]);

        let second = book(ours, &[(OTHER, "3")]);
        replace(&mut tx, ours, second.clone()).await.unwrap();
        assert_eq!(page(&mut tx, ours, None, None, 9).await.unwrap(), second);
        assert_eq!(page(&mut tx, theirs, None, None, 9).await.unwrap(), foreign);
        replace(&mut tx, ours, Vec::new()).await.unwrap();
        assert_eq!(page(&mut tx, ours, None, None, 9).await.unwrap(), []);
    });
}

#[test]
fn places_are_found_however_their_premises_are_written() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let (ours, theirs) = (stored_organization(&mut tx).await, stored_organization(&mut tx).await);
        let rows = book(ours, &[(HOUSE, "кв. 1"), (HOUSE, "1"), (HOUSE, "2"), (OTHER, "1")]);
        replace(&mut tx, ours, rows.clone()).await.unwrap();
        replace(&mut tx, theirs, book(theirs, &[(HOUSE, "1")])).await.unwrap();
        let places = [rows[0].key(), rows[3].key(), book(ours, &[(OTHER, "9")])[0].key()];
        let mut found = of_places(&mut tx, ours, &places).await.unwrap();
        found.sort_by_key(|account| account.place);
        assert_eq!(found, [rows[0].clone(), rows[1].clone(), rows[3].clone()]);
        assert_eq!(of_places(&mut tx, ours, &[]).await.unwrap(), []);
    });
}
