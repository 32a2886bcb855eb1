use rust_xlsxwriter::Workbook;

use super::*;
use crate::answers::DebtorDraft;
use crate::audit::Changed;
use crate::domain::event::EventKind;
use crate::domain::registry::ProblemKind;
use crate::store::samples::{department, employee, request};
use crate::store::test_db::for_both;
use crate::store::{Db, departments, employees};
use crate::test_service::{Bench, caller, only};

const OGRN: &str = "1026605606620";
const HOUSE: Uuid = Uuid::from_u128(0xA);
const HEADER: [&str; 13] = [
    "Дата начала периода задолженности *",
    "Дата погашения задолженности",
    "Идентификатор адреса *",
    "Адрес дома",
    "Номер квартиры, комнаты, блока жилого дома *",
    "Фамилия *",
    "Имя *",
    "Отчество",
    "СНИЛС",
    "Копия судебного акта",
    "Акт сверки",
    "Дополнительный файлы",
    "Дополнительная информация",
];

/// A registry of these premises in one house; the СНИЛС and the name of a scan are columns too.
fn file(rows: &[(&str, &str, &str)]) -> NewRegistry {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    for (column, text) in (0..).zip(HEADER) {
        sheet.write_string(0, column, text).unwrap();
    }
    for (row, (premises, snils, scan)) in (1..).zip(rows) {
        let house = HOUSE.to_string();
        let cells = ["12.03.2025", "", &house, "", premises, "Вымышленный", "Пётр", "", snils, scan];
        for (column, text) in (0..).zip(cells) {
            sheet.write_string(row, column, text).unwrap();
        }
    }
    NewRegistry {
        file_name: format!("Реестр {OGRN}.xlsx"),
        content: workbook.save_to_buffer().unwrap().into(),
        scans: None,
        ogrn: None,
        department: None,
    }
}

async fn upload(bench: &Bench, file: NewRegistry) -> Result<Registry> {
    let checked = bench.service.check_registry(&bench.caller, file).await?;
    let mut tx = bench.service.db.begin().await.unwrap();
    let registry = bench.service.store_registry(&mut tx, &bench.caller, checked).await?;
    tx.commit().await.unwrap();
    Ok(registry)
}

async fn activate(bench: &Bench, id: RegistryId) -> Result<Registry> {
    let mut tx = bench.service.db.begin().await.unwrap();
    let registry = bench.service.activate_registry(&mut tx, &bench.caller, id).await?;
    tx.commit().await.unwrap();
    Ok(registry)
}

async fn premises(bench: &Bench, department: Option<DepartmentId>) -> Vec<String> {
    let rows = bench.service.list_court_debts(&bench.caller, department, None, None, 99).await.unwrap();
    rows.into_iter().map(|kept| kept.debt.premises_text).collect()
}

fn mistakes(error: Error) -> Vec<(String, &'static str)> {
    let Error::Invalid(mistakes) = error else { panic!("{error}") };
    let place = |place| match place {
        crate::error::Place::Pointer(pointer) => pointer,
        crate::error::Place::Parameter(name) => name,
    };
    mistakes.into_iter().map(|mistake| (place(mistake.place), mistake.code)).collect()
}

#[test]
fn a_registry_takes_the_place_of_the_one_before() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let first = upload(&bench, file(&[("кв. 1", "", ""), ("кв. 2", "11223344596", "")])).await.unwrap();
        assert_eq!((first.status, first.rows, first.warnings), (RegistryStatus::Checked, 2, 1));
        let odd = bench.service.list_registry_problems(&bench.caller, first.id, 0, 9).await.unwrap();
        assert_eq!(
            odd.iter().map(|(place, it)| (*place, it.kind, it.row, it.code.as_str())).collect::<Vec<_>>(),
            [(1, ProblemKind::Warning, Some(3), "snils_checksum")]
        );
        assert!(premises(&bench, None).await.is_empty(), "nothing answers yet");
        activate(&bench, first.id).await.unwrap();
        let second = upload(&bench, file(&[("кв. 3", "", "")])).await.unwrap();
        assert_eq!(premises(&bench, None).await, ["кв. 1", "кв. 2"]);
        let active = activate(&bench, second.id).await.unwrap();
        assert_eq!(activate(&bench, second.id).await.unwrap(), active, "a repeat does nothing");
        assert_eq!(premises(&bench, None).await, ["кв. 3"]);
        let replaced = bench.service.get_registry(&bench.caller, first.id).await.unwrap();
        assert_eq!(replaced.status, RegistryStatus::Replaced);
        let kept =
            bench.service.list_registry_rows(&bench.caller, first.id, Some(HOUSE), None, 9).await.unwrap();
        assert_eq!(kept.len(), 2, "a replaced one stays readable");
        activate(&bench, first.id).await.unwrap();
        assert_eq!(premises(&bench, None).await, ["кв. 1", "кв. 2"]);
        let listed = bench.service.list_registries(&bench.caller, None, 9).await.unwrap();
        assert_eq!(listed.len(), 2);

        let kinds = [EventKind::RegistryActivated];
        let feed = bench.service.list_events(&bench.caller, None, &kinds, 9).await.unwrap();
        let told: Vec<_> = feed.events.iter().map(|it| it.event.data["registry_id"].clone()).collect();
        assert_eq!(told, [json!(first.id), json!(second.id), json!(first.id)]);
    });
}

#[test]
fn a_registry_with_a_bad_row_is_refused_as_a_whole() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let bad = [("кв. 1", "", ""), ("пристройка", "1", ""), ("кв. 1", "", ""), ("кв. 4", "", "акт.pdf")];
        let refused = upload(&bench, file(&bad)).await.unwrap();
        assert_eq!((refused.status, refused.rows, refused.refused_rows), (RegistryStatus::Refused, 0, 3));
        let problems = bench.service.list_registry_problems(&bench.caller, refused.id, 0, 9).await.unwrap();
        let codes: Vec<_> = problems.iter().map(|(_, it)| (it.row, it.code.as_str())).collect();
        assert_eq!(
            codes,
            [
                (Some(3), "premises_format"),
                (Some(3), "snils_format"),
                (Some(4), "duplicate"),
                (Some(5), "file_missing")
            ]
        );
        let second = bench.service.list_registry_problems(&bench.caller, refused.id, 1, 1).await.unwrap();
        assert_eq!(second, problems[1..2]);
        let Error::Conflict(conflict) = activate(&bench, refused.id).await.unwrap_err() else { panic!() };
        assert_eq!(conflict.code, Code::StateConflict);
    });
}

#[test]
fn a_file_that_is_not_ours_is_not_taken() {
    for_both(async |db: Db| {
        let bench = Bench::new(db).await;
        let ours = || file(&[("кв. 1", "", "")]);
        let foreign = [
            NewRegistry { file_name: "Реестр 1027700132195.xlsx".to_owned(), ..ours() },
            NewRegistry { file_name: format!("1{OGRN}.xlsx"), ..ours() },
            NewRegistry { ogrn: Some("1027700132195".to_owned()), ..ours() },
        ];
        for file in foreign {
            let Error::Refused { code, .. } = upload(&bench, file).await.unwrap_err() else { panic!() };
            assert_eq!(code, Code::RegistryWrongOrganization);
        }
        let ogrn = Some(OGRN.to_owned());
        let named = NewRegistry { file_name: "реестр.xlsx".to_owned(), ogrn, ..ours() };
        upload(&bench, named).await.unwrap();
        let broken = NewRegistry { content: Bytes::from_static(b"tea"), ..ours() };
        let error = upload(&bench, broken).await.unwrap_err();
        assert_eq!(mistakes(error), [("/registry".to_owned(), "not_a_workbook")]);

        let reader = only(&bench.caller, Scope::RegistryRead);
        assert!(bench.service.check_registry(&reader, ours()).await.is_err());
        let stranger = caller(crate::ids::OrganizationId::generate());
        let ours = bench.service.list_registries(&bench.caller, None, 9).await.unwrap();
        let unseen = bench.service.get_registry(&stranger, ours[0].id).await;
        assert!(matches!(unseen, Err(Error::NotFound)));
    });
}

fn draft(premises: &str) -> CourtDebtDraft {
    let debtor = |first_name: &str| DebtorDraft {
        last_name: "Вымышленный".to_owned(),
        first_name: first_name.to_owned(),
        ..DebtorDraft::default()
    };
    CourtDebtDraft {
        department: None,
        fias_house_id: HOUSE,
        gis_house_id: None,
        address: Some("ул. Ткацкая, д. 1".to_owned()),
        premises: premises.to_owned(),
        in_force_from: chrono::NaiveDate::from_ymd_opt(2025, 3, 12).unwrap(),
        repaid_on: None,
        debtors: vec![debtor("Пётр"), debtor("Павел")],
        attachments: Vec::new(),
        comment: Some("солидарно".to_owned()),
    }
}

#[test]
fn rows_are_added_changed_and_deleted_one_by_one() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let (service, caller) = (&bench.service, &bench.caller);
        let mut tx = service.db.begin().await.unwrap();
        let head = employee(caller.organization);
        let north = department(caller.organization, head.id);
        employees::insert(&mut tx, &head).await.unwrap();
        departments::insert(&mut tx, &north).await.unwrap();
        let branch = CourtDebtDraft { department: Some(north.id), ..draft("кв. 9") };
        let theirs = service.add_court_debt(&mut tx, caller, branch.clone()).await.unwrap();
        let one = service.add_court_debt(&mut tx, caller, draft("кв. 1")).await.unwrap();
        let two = service.add_court_debt(&mut tx, caller, draft("кв. 1")).await.unwrap();
        assert_eq!((one.registry, one.version, one.debt.debtors.iter().count()), (two.registry, 1, 2));
        let id = one.debt.entry.id;
        let Changed { before, after: changed } =
            service.replace_court_debt(&mut tx, caller, id, Some(1), draft("кв. 5")).await.unwrap();
        assert_eq!(before, one);
        assert_eq!((changed.version, changed.debt.premises_text.as_str()), (2, "кв. 5"));
        let stale = service.replace_court_debt(&mut tx, caller, id, Some(1), draft("кв. 6")).await;
        assert!(matches!(stale, Err(Error::VersionMismatch { current: 2 })));
        let moved = service.replace_court_debt(&mut tx, caller, id, None, branch.clone()).await;
        assert_eq!(mistakes(moved.unwrap_err()), [("/department_id".to_owned(), "not_allowed")]);
        let deleted = service.delete_court_debt(&mut tx, caller, two.debt.entry.id, None).await.unwrap();
        assert_eq!(deleted, two);
        tx.commit().await.unwrap();
        assert!(
            premises(&bench, None).await.is_empty(),
            "it answers nothing before a person says that it is complete"
        );
        let begun = service.get_registry(caller, one.registry).await.unwrap();
        assert_eq!((begun.status, begun.activated_at), (RegistryStatus::Checked, None));
        let kinds = [EventKind::RegistryActivated];
        assert!(service.list_events(caller, None, &kinds, 9).await.unwrap().events.is_empty());
        for registry in [one.registry, theirs.registry] {
            activate(&bench, registry).await.unwrap();
        }
        assert_eq!(premises(&bench, None).await, ["кв. 5"]);
        assert_eq!(premises(&bench, branch.department).await, ["кв. 9"]);
        assert_eq!(service.get_court_debt(caller, id).await.unwrap(), changed);
        let registry = service.get_registry(caller, one.registry).await.unwrap();
        assert_eq!((registry.rows, registry.status), (1, RegistryStatus::Active));

        let file = upload(&bench, file(&[("кв. 7", "", "")])).await.unwrap();
        let waiting = service.list_registry_rows(caller, file.id, None, None, 9).await.unwrap();
        let row = waiting[0].debt.entry.id;
        let mut tx = service.db.begin().await.unwrap();
        let early = service.delete_court_debt(&mut tx, caller, row, None).await.unwrap_err();
        assert!(matches!(early, Error::Conflict(_)), "a file is changed once it answers");
        drop(tx);
        activate(&bench, file.id).await.unwrap();
        let mut tx = service.db.begin().await.unwrap();
        let late = service.delete_court_debt(&mut tx, caller, id, None).await.unwrap_err();
        assert!(matches!(late, Error::Conflict(_)), "its registry answers no more");
    });
}

/// A registry that is put together row by row would say «no debt» of everything that is not in it yet.
#[test]
fn a_registry_of_single_rows_has_no_opinion_before_it_is_activated() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let (service, caller) = (&bench.service, &bench.caller);
        let asked = request(caller.organization);
        let opinion = async || {
            let mut conn = service.db.read().await.unwrap();
            let today = asked.gis.sent_on.unwrap();
            let said = opinions(&mut conn, caller.organization, &[&asked], today).await.unwrap();
            said[&asked.id].as_of.is_some()
        };
        let mut tx = service.db.begin().await.unwrap();
        let one = service.add_court_debt(&mut tx, caller, draft("кв. 1")).await.unwrap();
        let two = service.add_court_debt(&mut tx, caller, draft("кв. 2")).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(one.registry, two.registry);
        assert!(!opinion().await);
        activate(&bench, one.registry).await.unwrap();
        assert!(opinion().await);
        // From now on the rows go into it, and an activated file takes its place with all of them.
        let mut tx = service.db.begin().await.unwrap();
        let three = service.add_court_debt(&mut tx, caller, draft("кв. 3")).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(three.registry, one.registry);
        assert_eq!(premises(&bench, None).await.len(), 3);
    });
}

#[test]
fn a_department_that_does_not_exist_has_no_registry() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let unknown = Some(DepartmentId::generate());
        let mut tx = bench.service.db.begin().await.unwrap();
        let row = CourtDebtDraft { department: unknown, ..draft("кв. 1") };
        let error = bench.service.add_court_debt(&mut tx, &bench.caller, row).await.unwrap_err();
        assert_eq!(mistakes(error), [("/department_id".to_owned(), "not_found")]);
        // It was removed between the upload and the activation.
        let ours = bench.service.add_court_debt(&mut tx, &bench.caller, draft("кв. 1")).await.unwrap();
        let held = registries::lock(&mut tx, bench.caller.organization, ours.registry).await.unwrap();
        let orphan = Registry { department: unknown, ..held.unwrap() };
        registries::update(&mut tx, &orphan).await.unwrap();
        tx.commit().await.unwrap();
        let Error::Conflict(conflict) = activate(&bench, orphan.id).await.unwrap_err() else { panic!() };
        assert_eq!(conflict.code, Code::StateConflict);
    });
}

#[test]
fn every_mistake_of_a_row_is_named() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let day = |day| chrono::NaiveDate::from_ymd_opt(2026, 11, day).unwrap();
        let mut wrong = draft("пристройка");
        wrong.in_force_from = day(6);
        wrong.repaid_on = Some(day(7));
        wrong.debtors[1].last_name = " ".to_owned();
        wrong.debtors[1].snils = Some("1".to_owned());
        let mut tx = bench.service.db.begin().await.unwrap();
        let error = bench.service.add_court_debt(&mut tx, &bench.caller, wrong).await.unwrap_err();
        let expected = [
            ("/in_force_from", "date_future"),
            ("/repaid_on", "date_future"),
            ("/premises", "premises_format"),
            ("/debtors/1/last_name", "required"),
            ("/debtors/1/snils", "snils_format"),
        ];
        assert_eq!(mistakes(error), expected.map(|(place, code)| (place.to_owned(), code)));
    });
}

/// An archive of these files.
fn archive(files: &[(&str, &[u8])]) -> Option<std::fs::File> {
    let mut zip = zip::ZipWriter::new(tempfile::tempfile().unwrap());
    for (name, content) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut zip, content).unwrap();
    }
    Some(zip.finish().unwrap())
}

const ACT: &[u8] = b"%PDF-1.7 act";

#[test]
fn scans_become_files_of_the_rows_and_live_with_them() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let rows = [("кв. 1", "", "Акт 1.pdf"), ("кв. 2", "", "акт 1.PDF"), ("кв. 3", "", "")];
        let scans = || archive(&[("сканы/акт 1.pdf", ACT), ("лишний.pdf", ACT)]);
        let first = upload(&bench, NewRegistry { scans: scans(), ..file(&rows) }).await.unwrap();
        assert_eq!((first.status, first.warnings), (RegistryStatus::Checked, 1));
        let odd = bench.service.list_registry_problems(&bench.caller, first.id, 0, 9).await.unwrap();
        assert_eq!((odd[0].1.row, odd[0].1.code.as_str()), (None, "file_unused"));
        let kept = bench.service.list_registry_rows(&bench.caller, first.id, None, None, 9).await.unwrap();
        let acts: Vec<_> = kept.iter().flat_map(|row| row.debt.attachments()).collect();
        assert_eq!((acts.len(), acts[0]), (2, acts[1]), "the scan is kept once");
        let documents = &kept[0].debt.debtors.as_slice()[0].documents;
        assert_eq!(documents[0].type_code.as_str(), "1");
        let (act, content) = bench.service.attachment_content(&bench.caller, acts[0]).await.unwrap();
        assert_eq!((act.file_name.as_str(), act.expires_at, content.as_ref()), ("Акт 1.pdf", None, ACT));

        // The next registry names the same scan again.
        upload(&bench, NewRegistry { scans: scans(), ..file(&rows) }).await.unwrap();
        assert_eq!(bench.stored_files(), 1);
        let mut tx = bench.service.db.begin().await.unwrap();
        let refused = bench.service.delete_attachment(&mut tx, &bench.caller, acts[0]).await;
        assert!(matches!(refused, Err(Error::Conflict(_))));
    });
}

#[test]
fn many_scans_are_not_stored_again_at_the_next_try() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let texts: Vec<_> = (1..=51)
            .map(|flat| (flat.to_string(), format!("{flat}.pdf"), format!("%PDF-1.7 {flat}")))
            .collect();
        let rows: Vec<_> = texts.iter().map(|(flat, name, _)| (flat.as_str(), "", name.as_str())).collect();
        let scans: Vec<_> =
            texts.iter().map(|(_, name, content)| (name.as_str(), content.as_bytes())).collect();
        let given = || NewRegistry { scans: archive(&scans), ..file(&rows) };
        // The client is gone before the registry is stored.
        bench.service.check_registry(&bench.caller, given()).await.unwrap();
        assert_eq!(bench.stored_files(), 51);
        let registry = upload(&bench, given()).await.unwrap();
        assert_eq!((registry.status, registry.rows), (RegistryStatus::Checked, 51));
        assert_eq!(bench.stored_files(), 52, "all but the last one are found again");
        let kept =
            bench.service.list_registry_rows(&bench.caller, registry.id, None, None, 99).await.unwrap();
        for act in kept.iter().flat_map(|row| row.debt.attachments()) {
            let act = bench.service.get_attachment(&bench.caller, act).await.unwrap();
            assert_eq!(act.expires_at, None, "a row names it");
        }
    });
}

#[test]
fn a_row_with_a_mistyped_column_or_department_is_told() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let mut workbook = Workbook::new();
        let sheet = workbook.add_worksheet();
        let header = ["СНИЛС должника", HEADER[0], HEADER[2], HEADER[4], HEADER[5], HEADER[6]];
        let house = HOUSE.to_string();
        let row = ["11223344595", "12.03.2025", &house, "", "Вымышленный", "Пётр"];
        for (column, (header, text)) in (0..).zip(header.iter().zip(row)) {
            sheet.write_string(0, column, *header).unwrap();
            sheet.write_string(1, column, text).unwrap();
        }
        let content: Bytes = workbook.save_to_buffer().unwrap().into();
        let odd = upload(&bench, NewRegistry { content, ..file(&[]) }).await.unwrap();
        assert_eq!((odd.status, odd.rows, odd.warnings), (RegistryStatus::Checked, 1, 2));
        let problems = bench.service.list_registry_problems(&bench.caller, odd.id, 0, 9).await.unwrap();
        let told: Vec<_> =
            problems.iter().map(|(_, it)| (it.row, it.column.as_deref(), it.code.as_str())).collect();
        let premises = "Номер квартиры, комнаты, блока жилого дома";
        assert_eq!(
            told,
            [(Some(2), Some(premises), "premises_blank"), (None, Some("СНИЛС должника"), "column_ignored")]
        );
        let kept = bench.service.list_registry_rows(&bench.caller, odd.id, None, None, 9).await.unwrap();
        assert!(kept[0].debt.entry.premises.is_house());

        let department = Some(DepartmentId::generate());
        let error = upload(&bench, NewRegistry { department, ..file(&[("1", "", "")]) }).await.unwrap_err();
        assert_eq!(mistakes(error), [("/department_id".to_owned(), "not_found")]);
    });
}

#[test]
fn a_registry_with_a_bad_scan_is_refused_and_nothing_is_kept() {
    for_both(async |db| {
        let mut bench = Bench::new(db).await;
        bench.service.settings.limits.file_bytes = 20;
        let rows = [
            ("кв. 1", "", "a.pdf"),
            ("кв. 2", "", "b.exe"),
            ("кв. 3", "", "c.pdf"),
            ("кв. 4", "", "d.pdf"),
            ("кв. 5", "", "e.pdf"),
            ("кв. 6", "", "f.pdf"),
        ];
        let scans = archive(&[
            ("b.exe", b"MZ"),
            ("c.pdf", b"no pdf"),
            ("d.pdf", b"%PDF-1.7 twenty-one bytes"),
            ("e.pdf", b""),
            ("f.pdf", ACT),
        ]);
        let refused = upload(&bench, NewRegistry { scans, ..file(&rows) }).await.unwrap();
        assert_eq!((refused.status, refused.rows, refused.refused_rows), (RegistryStatus::Refused, 0, 5));
        let problems = bench.service.list_registry_problems(&bench.caller, refused.id, 0, 9).await.unwrap();
        let told: Vec<_> =
            problems.iter().map(|(_, it)| (it.row, it.column.as_deref(), it.code.as_str())).collect();
        let act = Some("Копия судебного акта");
        assert_eq!(
            told,
            [
                (Some(2), act, "file_missing"),
                (Some(3), act, "file_type_not_allowed"),
                (Some(4), act, "file_type_not_allowed"),
                (Some(5), act, "file_too_large"),
                (Some(6), act, "required"),
            ]
        );
        assert_eq!(bench.stored_files(), 0);

        let broken =
            [(None, "not_an_archive"), (archive(&[("a.pdf", ACT), ("b/A.PDF", ACT)]), "file_name_twice")];
        for (scans, code) in broken {
            let scans = scans.or_else(|| {
                let mut file = tempfile::tempfile().unwrap();
                std::io::Write::write_all(&mut file, b"tea").unwrap();
                Some(file)
            });
            let error = upload(&bench, NewRegistry { scans, ..file(&rows) }).await.unwrap_err();
            assert_eq!(mistakes(error), [("/files".to_owned(), code)]);
        }
    });
}

#[test]
fn a_row_names_files_that_were_uploaded() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let (service, caller) = (&bench.service, &bench.caller);
        let mut tx = service.db.begin().await.unwrap();
        let file = |name: &str| crate::attachments::NewFile {
            file_name: name.to_owned(),
            description: None,
            content: Bytes::from_static(ACT),
            sha256: None,
        };
        let act = service.upload_attachment(&mut tx, caller, file("акт.pdf")).await.unwrap().id;
        let other = service.upload_attachment(&mut tx, caller, file("сверка.pdf")).await.unwrap().id;
        let stored = |id, type_code: Option<&str>| crate::answers::FileDraft {
            type_code: type_code.map(ToOwned::to_owned),
            description: None,
            source: crate::answers::FileSource::Stored(id),
        };
        let mut wanted = draft("кв. 1");
        wanted.debtors[0].documents = vec![stored(act, Some("1"))];
        wanted.attachments = vec![stored(other, None)];
        let kept = service.add_court_debt(&mut tx, caller, wanted.clone()).await.unwrap();
        assert_eq!(kept.debt.attachments().collect::<Vec<_>>(), [act, other]);
        let expiry = async |tx: &mut Tx, id| {
            attachments::get(tx, caller.organization, id).await.unwrap().unwrap().expires_at
        };
        assert_eq!(expiry(&mut tx, act).await, None);
        let id = kept.debt.entry.id;
        service.replace_court_debt(&mut tx, caller, id, None, draft("кв. 1")).await.unwrap();
        assert_eq!(expiry(&mut tx, act).await, Some(service.unused_until()));
        wanted.attachments = vec![stored(AttachmentId::generate(), Some("1"))];
        wanted.debtors[0].documents = vec![stored(act, Some("77"))];
        let error = service.add_court_debt(&mut tx, caller, wanted).await.unwrap_err();
        let mut found = mistakes(error);
        found.sort();
        let expected = [
            ("/attachments/0/attachment_id", "not_found"),
            ("/attachments/0/type_code", "not_allowed"),
            ("/debtors/0/documents/0/type_code", "dictionary_unknown"),
        ];
        assert_eq!(found, expected.map(|(place, code)| (place.to_owned(), code)));
    });
}
