use calamine::{Data, Reader as _, Xlsx};

use super::*;

/// The sheets of a template as texts.
fn sheets(template: Template) -> [Vec<Vec<String>>; 2] {
    let mut book: Xlsx<_> =
        calamine::open_workbook_from_rs(Cursor::new(template.content().unwrap())).unwrap();
    let names = book.sheet_names();
    assert_eq!(names, [template.label(), "Пример"]);
    let rows = |name: &String| -> Vec<Vec<String>> {
        let range = book.worksheet_range(name).unwrap();
        range.rows().map(|row| row.iter().map(Data::to_string).collect()).collect()
    };
    let all: Vec<_> = names.iter().map(rows).collect();
    all.try_into().unwrap()
}

/// The workbook that comes of a template when it is filled in as its second sheet says.
fn filled(template: Template) -> Bytes {
    let [form, explained] = sheets(template);
    let texts = |place: usize| explained.iter().skip(1).map(move |row| row[place].as_str());
    let header: Vec<_> = texts(0).collect();
    let [only] = form.as_slice() else { panic!("the form is a header alone") };
    assert_eq!(*only, header, "each of its columns is explained");
    assert!(texts(3).all(|takes| !takes.is_empty()));
    let example: Vec<_> = texts(2).collect();
    table(&[&header, &example])
}

/// Every column that is read, and none that is not; what is said to be required is.
#[test]
fn a_template_has_the_columns_that_are_read_and_its_example_is_right() {
    let rules = RegistryRules {
        today: day(2026, 11, 2),
        premises_key: &premises_key,
        has_scan: &|_| true,
        most_files: 2,
    };
    let registry = read_registry(&mut open(filled(Template::CourtDebtRegistry)).unwrap(), rules).unwrap();
    assert_eq!(places(&registry.errors), []);
    assert_eq!((places(&registry.warnings), registry.rows.len()), (vec![], 1));
    assert_eq!(registry.ignored_columns, Vec::<String>::new());
    assert_eq!(registry.rows[0].scans().count(), 4);

    let answers = read_answers(&mut open(filled(Template::Answers)).unwrap(), AnswerColumn::Strict).unwrap();
    assert_eq!((places(&answers.errors), answers.answers.len()), (vec![], 1));
    assert_eq!(answers.ignored_columns, Vec::<String>::new());
    assert_eq!(answers.answers[0].content.debtors().len(), 1);

    let accounts = read_accounts(&mut open(filled(Template::Accounts)).unwrap(), &premises_key).unwrap();
    assert_eq!((places(&accounts.errors), accounts.rows.len()), (vec![], 1));
    assert_eq!(accounts.ignored_columns, Vec::<String>::new());
}

#[test]
fn templates_have_the_columns_in_the_order_that_people_know() {
    let header = |template: Template| sheets(template)[0][0].clone();
    assert_eq!(
        header(Template::CourtDebtRegistry),
        [
            "Дата начала периода задолженности",
            "Дата погашения задолженности",
            "Идентификатор адреса",
            "Адрес дома",
            "Номер квартиры, комнаты, блока жилого дома",
            "Фамилия",
            "Имя",
            "Отчество",
            "СНИЛС",
            "Копия судебного акта",
            "Акт сверки",
            "Дополнительные файлы",
            "Дополнительная информация",
        ]
    );
    assert_eq!(header(Template::Answers).len(), 21);
    assert_eq!(
        header(Template::Accounts),
        ["Код ФИАС дома", "Номер помещения", "Единый лицевой счет", "Лицевой счет"]
    );
}

#[test]
fn a_template_that_nobody_has_filled_in_has_no_rows() {
    let workbook = |template: Template| open(template.content().unwrap().into()).unwrap();
    let rules = RegistryRules {
        today: day(2026, 11, 2),
        premises_key: &premises_key,
        has_scan: &|_| false,
        most_files: 2,
    };
    let registry = read_registry(&mut workbook(Template::CourtDebtRegistry), rules);
    assert!(matches!(registry, Err(WorkbookError::NoRows)), "{registry:?}");
    let answers = read_answers(&mut workbook(Template::Answers), AnswerColumn::Legacy);
    assert!(matches!(answers, Err(WorkbookError::NoRows)), "{answers:?}");
    let accounts = read_accounts(&mut workbook(Template::Accounts), &premises_key);
    assert!(matches!(accounts, Err(WorkbookError::NoRows)), "{accounts:?}");
}
