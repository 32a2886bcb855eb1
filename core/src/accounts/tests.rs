use rust_xlsxwriter::Workbook as Book;

use super::*;
use crate::error::Place;
use crate::store::test_db::for_both;
use crate::test_service::{Bench, caller, only};

const HOUSE: Uuid = Uuid::from_u128(0xA);

fn workbook(rows: &[(&str, &str)]) -> NewBook {
    let mut book = Book::new();
    let sheet = book.add_worksheet();
    for (column, text) in (0..).zip(["Код ФИАС дома", "Помещение", "Лицевой счет", "Заметка"])
    {
        sheet.write_string(0, column, text).unwrap();
    }
    for (row, (premises, account)) in (1..).zip(rows) {
        for (column, text) in (0..).zip([HOUSE.to_string().as_str(), premises, account]) {
            sheet.write_string(row, column, text).unwrap();
        }
    }
    NewBook::Workbook { content: book.save_to_buffer().unwrap().into(), pointer: "/file" }
}

fn row(premises: &str, account: &str) -> NewAccount {
    NewAccount {
        fias_house_id: HOUSE,
        premises: Some(premises.to_owned()),
        unified_account: None,
        account: Some(account.to_owned()),
    }
}

async fn put(bench: &Bench, book: NewBook) -> Result<ReplacedBook> {
    let checked = bench.service.check_accounts(&bench.caller, book).await?;
    let mut tx = bench.service.db.begin().await.unwrap();
    let replaced = bench.service.replace_accounts(&mut tx, &bench.caller, checked).await?;
    tx.commit().await.unwrap();
    Ok(replaced)
}

async fn listed(bench: &Bench) -> Vec<String> {
    let book = bench.service.list_accounts(&bench.caller, Some(HOUSE), None, 99).await.unwrap();
    book.into_iter().filter_map(|row| row.account).collect()
}

fn mistakes(error: Error) -> Vec<(String, &'static str)> {
    let Error::Invalid(mistakes) = error else { panic!("{error}") };
    let place = |place| match place {
        Place::Pointer(text) | Place::Parameter(text) => text,
    };
    mistakes.into_iter().map(|mistake| (place(mistake.place), mistake.code)).collect()
}

#[test]
fn a_book_comes_as_a_workbook_or_as_rows_and_is_replaced() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let replaced = put(&bench, workbook(&[("кв. 1", "001"), ("", "002")])).await.unwrap();
        assert_eq!((replaced.accounts, replaced.ignored_columns), (2, vec!["Заметка".to_owned()]));
        assert_eq!(listed(&bench).await, ["001", "002"]);
        let rows = NewBook::Rows(vec![row(" ", " 003 "), row("кв. 1", "004"), row("1", "005")]);
        assert_eq!(put(&bench, rows).await.unwrap().accounts, 3);
        assert_eq!(listed(&bench).await, ["003", "004", "005"]);
        let mut conn = bench.service.db.read().await.unwrap();
        let flat = listed_key(&bench, 1).await;
        let found = of_places(&mut conn, bench.caller.organization, [flat.clone(), flat.clone()]).await;
        assert_eq!(found.unwrap()[&flat].own.as_deref(), Some("004, 005"));
        drop(conn);
        put(&bench, NewBook::Rows(Vec::new())).await.unwrap();
        assert!(listed(&bench).await.is_empty());
    });
}

async fn listed_key(bench: &Bench, place: usize) -> PlaceKey {
    bench.service.list_accounts(&bench.caller, None, None, 99).await.unwrap()[place].key()
}

#[test]
fn a_book_with_a_mistake_changes_nothing() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        put(&bench, NewBook::Rows(vec![row("1", "001")])).await.unwrap();
        let error = put(&bench, workbook(&[("кв. 1", "1"), ("?", "2"), ("1", "1")])).await.unwrap_err();
        let at_file = |code| ("/file".to_owned(), code);
        assert_eq!(mistakes(error), [at_file("premises_format"), at_file("duplicate")]);
        let broken = NewBook::Workbook { content: Bytes::from_static(b"tea"), pointer: "/file" };
        assert_eq!(mistakes(put(&bench, broken).await.unwrap_err()), [at_file("not_a_workbook")]);
        let rows = vec![row("пристройка", "1"), row("1", " "), row("кв. 2", "2"), row("2", "2")];
        let error = put(&bench, NewBook::Rows(rows)).await.unwrap_err();
        let expected = [
            ("/accounts/0/premises", "premises_format"),
            ("/accounts/1", "required"),
            ("/accounts/3", "duplicate"),
        ];
        assert_eq!(mistakes(error), expected.map(|(place, code)| (place.to_owned(), code)));
        assert_eq!(listed(&bench).await, ["001"]);

        let reader = only(&bench.caller, Scope::RegistryRead);
        assert!(bench.service.check_accounts(&reader, NewBook::Rows(Vec::new())).await.is_err());
        let stranger = caller(OrganizationId::generate());
        assert!(bench.service.list_accounts(&stranger, None, None, 9).await.unwrap().is_empty());
    });
}
