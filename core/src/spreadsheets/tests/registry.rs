use rust_xlsxwriter::ExcelDateTime;

use super::*;

const HEADER: [&str; 13] = [
    "Дата начала периода задолженности *",
    "Дата погашения задолженности",
    "Идентификатор адреса *",
    "Адрес дома",
    "Номер квартиры, комнаты, блока жилого дома *",
    "Фамилия *",
    "Имя*",
    "Отчество",
    "СНИЛС",
    "Копия судебного акта",
    "Акт сверки",
    "Дополнительный файлы",
    "Дополнительная информация",
];
const PREMISES: &str = "Номер квартиры, комнаты, блока жилого дома";

fn rules() -> RegistryRules<'static> {
    RegistryRules {
        today: day(2026, 11, 2),
        premises_key: &premises_key,
        has_scan: &|name| name == "акт.jpg" || name == "сверка.pdf",
        most_files: 2,
    }
}

fn read(rows: &[&[&str]]) -> Result<SheetRegistry, WorkbookError> {
    let rows = [&[HEADER.as_slice()], rows].concat();
    read_registry(&mut open(table(&rows)).unwrap(), rules())
}

#[test]
fn a_registry_is_read() {
    let registry = read(&[
        &[
            "12.03.2025",
            "",
            GUID[0],
            "г Екатеринбург, ул Мира, д. 1",
            "кв. 12",
            "Тестов",
            "Иван",
            "",
            "112-233-445 95",
            "акт.jpg",
            "",
            "сверка.pdf; акт.jpg",
            "второй должник: Тестова Анна",
        ],
        &["2025-03-12", "01.02.2026", GUID[1], "", "12", "Тестова", "Анна", "Петровна"],
    ])
    .unwrap();
    assert_eq!(places(&registry.errors), []);
    assert_eq!(registry.count, 2);
    let [first, second] = registry.rows.as_slice() else { panic!() };
    assert_eq!((first.debt_from, first.repaid_on), (day(2025, 3, 12), None));
    assert_eq!((first.premises.as_str(), first.premises_key.as_str()), ("кв. 12", "12"));
    assert_eq!(first.snils.as_ref().map(|snils| snils.as_str()), Some("11223344595"));
    assert_eq!(first.court_act.as_deref(), Some("акт.jpg"));
    assert_eq!(first.other_files, ["сверка.pdf", "акт.jpg"]);
    assert_eq!(second.repaid_on, Some(day(2026, 2, 1)));
    assert_eq!(format!("{first:?}"), "RegistryRow { row: 2, .. }");
}

#[test]
fn every_bad_row_is_told() {
    let registry = read(&[
        &["", "", "не ФИАС", "", "кв", "", "Иван", "", "1122334459", "нет.jpg", "a/b.pdf", "1;2;3", ""],
        &["03.11.2026", "31.02.2026", GUID[0], "", "12", "Тестов", "Иван", "", "1122334459а"],
        &["12.03.2025", "", GUID[0], "", "12", "Тестов", "Иван"],
        &["12.03.2025", "", GUID[0], "", "кв. 12", "Тестова", "Анна"],
    ])
    .unwrap();
    assert_eq!(
        places(&registry.errors),
        [
            (2, "Дата начала периода задолженности", "required"),
            (2, "Идентификатор адреса", "guid_format"),
            (2, PREMISES, "premises_format"),
            (2, "Фамилия", "required"),
            (2, "СНИЛС", "snils_format"),
            (2, "Копия судебного акта", "file_missing"),
            (2, "Акт сверки", "character_not_allowed"),
            (2, "Дополнительные файлы", "too_many"),
            (3, "Дата начала периода задолженности", "date_future"),
            (3, "Дата погашения задолженности", "date_format"),
            (3, "СНИЛС", "snils_format"),
            (5, PREMISES, "duplicate"),
        ]
    );
    assert_eq!(registry.rows.len(), 1);
    let said: String = registry.errors.listed().iter().map(|error| error.detail.as_str()).collect();
    assert!(!said.contains("Тест") && !said.contains("1122") && !said.contains("нет.jpg"), "{said}");
}

#[test]
fn what_is_odd_is_taken_with_a_warning() {
    let row = ["12.03.2025", "11.03.2025", GUID[0], "", "12", "Тестов", "Иван", "", "11223344596"];
    let registry = read(&[&row]).unwrap();
    assert_eq!(
        places(&registry.warnings),
        [(2, "СНИЛС", "snils_checksum"), (2, "Дата погашения задолженности", "dates_order")]
    );
    assert_eq!((registry.rows.len(), registry.errors.count()), (1, 0));
}

#[test]
fn a_house_without_flats_has_no_premises() {
    let row = |premises: &'static str| ["12.03.2025", "", GUID[0], "", premises, "Тестов", "Иван"];
    let registry = read(&[&row(""), &row("1"), &row(" ")]).unwrap();
    assert_eq!(places(&registry.errors), [(4, PREMISES, "duplicate")]);
    assert_eq!(
        places(&registry.warnings),
        [(2, PREMISES, "premises_blank"), (4, PREMISES, "premises_blank")]
    );
    let premises: Vec<_> = registry.rows.iter().map(|row| row.premises.as_str()).collect();
    assert_eq!(premises, ["", "1"]);
}

#[test]
fn control_characters_are_refused() {
    let row = ["12.03.2025", "", GUID[0], "ул. Мира,\nд. 1", "кв. 1", "Тестов", "Иван"];
    let bad = ["12.03.2025", "", GUID[0], "ул.\u{1} Мира", "кв.\u{2} 2", "Тестов", "Иван"];
    let registry = read(&[&row, &bad]).unwrap();
    let expected = [(3, "Адрес дома", "character_not_allowed"), (3, PREMISES, "character_not_allowed")];
    assert_eq!(places(&registry.errors), expected);
    assert_eq!(registry.rows.len(), 1, "the end of a line is no harm");
}

#[test]
fn dates_flats_and_numbers_of_excel() {
    let content = drawn(|sheet| {
        sheet.write_row(0, 0, HEADER).unwrap();
        for row in 1..=2 {
            sheet
                .write_datetime_with_format(row, 0, ExcelDateTime::from_ymd(2025, 3, 12).unwrap(), &as_date())
                .unwrap();
            sheet.write_string(row, 2, GUID[0]).unwrap();
            sheet.write_row(row, 5, ["Тестов", "Иван"]).unwrap();
        }
        sheet.write_number(1, 1, 46_000).unwrap();
        sheet.write_number(1, 4, 12).unwrap();
        sheet.write_number(1, 8, 8_765_430_300.0).unwrap();
        sheet
            .write_datetime_with_format(2, 4, ExcelDateTime::from_ymd(2026, 2, 1).unwrap(), &as_date())
            .unwrap();
    });
    let registry = read_registry(&mut open(content).unwrap(), rules()).unwrap();
    assert_eq!(places(&registry.errors), [(2, "СНИЛС", "snils_format"), (3, PREMISES, "text_became_date")]);
    assert!(registry.errors.listed()[0].detail.contains("нули"), "{:?}", registry.errors.listed());
}

#[test]
fn a_list_of_requests_is_no_registry() {
    let ours = [
        "Номер запроса",
        "ГИС-идентификатор подзапроса",
        "Крайний срок ответа на запрос",
        "Фамилия должника",
    ];
    let of_gis =
        ["№", "Период, за который запрашиваются данные", "Организация, направившая запрос", "Статус запроса"];
    for header in [ours, of_gis] {
        let content = table(&[&["Выгрузка"], &header, &["1", "2", "3", "4"]]);
        let refused = read_registry(&mut open(content).unwrap(), rules()).unwrap_err();
        assert_eq!(refused, WorkbookError::GisExport { row: 2 });
        assert_eq!(refused.code(), "gis_export");
        assert_eq!(refused.places()[0].row, 2);
    }
    let both = [HEADER.as_slice(), &ours].concat();
    let refused = read_registry(&mut open(table(&[&both, &["x"]])).unwrap(), rules());
    assert_eq!(refused.unwrap_err(), WorkbookError::GisExport { row: 1 }, "a list pasted beside");
    let own = [HEADER.as_slice(), &["Номер запроса"]].concat();
    let row = ["12.03.2025", "", GUID[0], "", "12", "Тестов", "Иван"];
    assert_eq!(read_registry(&mut open(table(&[&own, &row])).unwrap(), rules()).unwrap().rows.len(), 1);
}

#[test]
fn the_file_name_must_hold_the_number_of_the_organisation() {
    let ogrn = "1027700132195".parse().unwrap();
    for name in ["1027700132195.xlsx", "Реестр 1027700132195 март.xlsx", "реестр_1027700132195(2).xlsx"]
    {
        assert!(file_name_has_ogrn(name, &ogrn), "{name}");
    }
    for name in ["Реестр.xlsx", "11027700132195.xlsx", "10277001321950.xlsx", "1027700132194.xlsx", ""]
    {
        assert!(!file_name_has_ogrn(name, &ogrn), "{name}");
    }
}

#[test]
fn an_empty_registry_is_refused() {
    assert_eq!(read(&[]).unwrap_err(), WorkbookError::NoRows);
    assert_eq!(read(&[&["", " ", "\u{a0}"]]).unwrap_err(), WorkbookError::NoRows);
}

#[test]
fn a_book_of_accounts_is_read() {
    let content = table(&[
        &["ФИО", "Код ФИАС дома", "Квартира", "ЕЛС", "Лицевой счёт"],
        &["Тестов", GUID[0], "кв. 12", "70НН906761", "0033036150"],
        &["Тестов", GUID[0], "12", "", "0033036151"],
        &["Тестов", GUID[1], "", "70НН906762", ""],
        &["Тестов", GUID[0], "12", "", "0033036151"],
        &["Тестов", GUID[0], "13", "", ""],
        &["Тестов", "", "?", "70НН906763", "1".repeat(31).as_str()],
    ]);
    let accounts = read_accounts(&mut open(content).unwrap(), &premises_key).unwrap();
    assert_eq!((accounts.rows.len(), accounts.count), (3, 6));
    assert_eq!(accounts.rows[0].account.as_deref(), Some("0033036150"));
    assert_eq!((accounts.rows[2].premises.as_deref(), accounts.rows[2].premises_key.as_str()), (None, ""));
    assert_eq!(accounts.ignored_columns, ["ФИО"]);
    assert_eq!(
        places(&accounts.errors),
        [
            (5, "Лицевой счет", "duplicate"),
            (6, "Лицевой счет", "required"),
            (7, "Код ФИАС дома", "required"),
            (7, "Номер помещения", "premises_format"),
            (7, "Лицевой счет", "too_long"),
        ]
    );
    let without = table(&[&["Код ФИАС дома", "Квартира"], &[GUID[0], "1"]]);
    let refused = read_accounts(&mut open(without).unwrap(), &premises_key).unwrap_err();
    assert_eq!(refused, WorkbookError::ColumnsMissing { row: Some(1), columns: vec!["Лицевой счет"] });
}

#[test]
fn a_list_of_requests_is_read_whatever_else_it_says() {
    let content = table(&[
        &["Наличие задолженности", "GUID подзапроса"],
        &["", GUID[1]],
        &["ДА", GUID[0]],
        &["ДА", GUID[0]],
        &["", "нет"],
        &["НЕТ", ""],
    ]);
    let sheet = read_requests(&mut open(content).unwrap()).unwrap();
    let guid = |place: usize| uuid::Uuid::try_parse(GUID[place]).unwrap().into();
    assert_eq!(sheet.requests, [(2, guid(1)), (3, guid(0))]);
    let column = "ГИС-идентификатор подзапроса";
    assert_eq!(places(&sheet.errors), [(5, column, "guid_format")]);
    let other = table(&[&["Столбец"], &["1"]]);
    let refused = read_requests(&mut open(other).unwrap()).unwrap_err();
    assert_eq!(refused.code(), "column_missing");
}
