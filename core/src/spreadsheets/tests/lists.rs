use super::*;
use uuid::Uuid;

#[test]
fn the_three_lists_are_sheets() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = MatchListsWriter::new(folder.path()).unwrap();
    let item = ListItem {
        request_number: "62026110433",
        subrequest: Uuid::try_parse(GUID[0]).unwrap().into(),
        address: Some("ул Мира, д. 1, кв. 12"),
        period_from: Some(day(2023, 11, 2)),
        period_to: None,
        due_on: None,
        registry_rows: &[17, 20],
        note: "-",
    };
    writer.push(MatchList::Ambiguous, &item).unwrap();
    writer.push(MatchList::Found, &item).unwrap();
    let mut content = Vec::new();
    writer.finish(&mut content).unwrap();
    let mut workbook = open(content.into()).unwrap();
    assert_eq!(workbook.sheets(), ["Найдено", "Не найдено", "Возможные ошибки"]);
    for (sheet, expected) in [("Найдено", 2), ("Не найдено", 1), ("Возможные ошибки", 2)]
    {
        let mut rows = workbook.rows(sheet).unwrap();
        let (mut count, mut cells) = (0, Vec::new());
        while rows.next(&mut cells).unwrap().is_some() {
            count += 1;
        }
        assert_eq!(count, expected, "{sheet}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
}

fn marked(content: Bytes) -> (SheetAnswers, Bytes) {
    let folder = tempfile::tempdir().unwrap();
    let mut workbook = open(content).unwrap();
    let read = read_answers(&mut workbook, AnswerColumn::Strict).unwrap();
    let mut copy = Vec::new();
    mark(&mut workbook, Kind::Answers, &read.errors, folder.path(), &mut copy).unwrap();
    (read, copy.into())
}

fn texts(content: Bytes, row: u32) -> Vec<(u32, String)> {
    let mut workbook = open(content).unwrap();
    let sheet = workbook.sheets().remove(0);
    let mut rows = workbook.rows(&sheet).unwrap();
    let mut cells = Vec::new();
    while let Some(number) = rows.next(&mut cells).unwrap() {
        if number == row {
            let text = |value| super::super::cell::Cell(Some(value)).shown().into_owned();
            return cells.iter().map(|(place, value)| (*place, text(value))).collect();
        }
    }
    Vec::new()
}

#[test]
fn mistakes_are_marked_in_a_copy_that_can_be_sent_again() {
    let content = table(&[
        &["Ответы за март"],
        &[
            "ГИС-идентификатор подзапроса",
            "Наличие задолженности",
            "Фамилия должника",
            "Имя должника",
            "Заметка",
        ],
        &[GUID[0], "ДА", "=Тестов", "", "'=1+1", "за краем"],
        &[],
        &[GUID[1], "может быть", "", "", "Заметка"],
        &[GUID[2], "НЕТ"],
    ]);
    let (first, copy) = marked(content);
    assert_eq!(
        places(&first.errors),
        [(3, "Имя должника", "required"), (5, "Наличие задолженности", "yes_or_no")]
    );
    let header = texts(copy.clone(), 2);
    assert_eq!(
        header[4..],
        [(4, "Заметка".to_owned()), (5, "Ошибка".to_owned()), (6, "Столбец с ошибкой".to_owned())]
    );
    let row = texts(copy.clone(), 3);
    assert_eq!(row[2], (2, "=Тестов".to_owned()));
    assert_eq!(
        row[3..],
        [(4, "=1+1".to_owned()), (5, "обязательное поле".to_owned()), (6, "Имя должника".to_owned())]
    );
    assert_eq!(texts(copy.clone(), 6).len(), 2, "a sound row has no mark");

    let (second, again) = marked(copy);
    assert!(
        first.answers == second.answers && first.errors == second.errors && first.counts == second.counts
    );
    assert_eq!(second.ignored_columns, ["Заметка"]);
    assert_eq!(texts(again, 2), header, "the columns are not added twice");
}

#[test]
fn a_sheet_that_reaches_to_the_last_column_is_marked_by_colours_alone() {
    let content = drawn(|sheet| {
        sheet.write_row(0, 0, ["ГИС-идентификатор подзапроса", "Наличие задолженности"]).unwrap();
        sheet.write_string(0, 16_382, "за краем").unwrap();
        sheet.write_row(1, 0, [GUID[0], "?"]).unwrap();
    });
    let (read, copy) = marked(content);
    assert_eq!(read.errors.count(), 1);
    assert_eq!(texts(copy, 1).len(), 3, "there is no room for two columns more");
}

#[test]
fn a_column_of_that_name_of_ones_own_is_kept() {
    let header = ["Ошибка", "ГИС-идентификатор подзапроса", "Наличие задолженности"];
    let (_, copy) = marked(table(&[&header, &["моё", GUID[0], "?"]]));
    let expected = ["моё", GUID[0], "?", "укажите ДА или НЕТ", "Наличие задолженности"];
    assert_eq!(texts(copy, 2).into_iter().map(|(_, text)| text).collect::<Vec<_>>(), expected);
}

#[test]
fn wrong_cells_are_coloured() {
    let (_, copy) = marked(table(&[
        &["ГИС-идентификатор подзапроса", "Наличие задолженности"],
        &[GUID[0], "?"],
        &["", "ДА"],
    ]));
    let mut zip = zip::ZipArchive::new(Cursor::new(copy)).unwrap();
    let styles = std::io::read_to_string(zip.by_name("xl/styles.xml").unwrap()).unwrap();
    assert!(styles.contains("FFFFC7CE"), "{styles}");
    let sheet = std::io::read_to_string(zip.by_name("xl/worksheets/sheet1.xml").unwrap()).unwrap();
    let style = |cell: &str| {
        let start = sheet.find(&format!("r=\"{cell}\"")).unwrap();
        sheet[start..].split('"').nth(3).unwrap().to_owned()
    };
    assert_ne!(style("B2"), style("A2"));
    assert_eq!(style("A3"), style("B2"), "a blank cell that is required");
}
