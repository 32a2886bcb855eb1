//! Whatever comes in, nothing panics: it is read, or refused in words.

use proptest::prelude::*;

use super::*;

fn everything(content: Bytes) -> Result<(), WorkbookError> {
    let limits = Limits { expanded_bytes: 8 << 20, ..Limits::default() };
    let mut workbook = Workbook::open(content, limits)?;
    let folder = tempfile::tempdir().unwrap();
    let rules = RegistryRules {
        today: day(2026, 11, 2),
        premises_key: &premises_key,
        has_scan: &|_| true,
        most_files: 5,
    };
    let registry = read_registry(&mut workbook, rules).map(drop);
    let accounts = read_accounts(&mut workbook, &premises_key).map(drop);
    let answers = read_answers(&mut workbook, AnswerColumn::Legacy)?;
    let _ = mark(&mut workbook, Kind::Answers, &answers.errors, folder.path(), Vec::new());
    registry.or(accounts).or(Ok(()))
}

fn sound() -> Bytes {
    table(&[
        &[
            "Номер запроса",
            "ГИС-идентификатор подзапроса",
            "Наличие задолженности",
            "Фамилия должника",
            "Имя должника",
        ],
        &["62026110433", GUID[0], "ДА", "Тестов", "Иван"],
        &["62026110434", GUID[1], "НЕТ", "", ""],
    ])
}

/// Pieces of which sheets are made, right and wrong ones.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("<row>".to_owned()),
        Just("</row>".to_owned()),
        Just("<mergeCells><mergeCell ref=\"B2:A1\"/></mergeCells>".to_owned()),
        Just("<dimension ref=\"C3:A1\"/>".to_owned()),
        Just("</sheetData>".to_owned()),
        "<row r=\"[0-9]{1,12}\">",
        "<c r=\"[A-Za-z]{0,9}[0-9]{0,12}\" t=\"(s|str|b|e|n|d|inlineStr|x)\" s=\"[0-9]{0,12}\">",
        "<v>[-+#0-9.eENA/!a-z&;]{0,12}</v>",
        "<f t=\"shared\" si=\"[0-9]{1,20}\" ref=\"[A-Z]{1,8}[0-9]{1,12}(:[A-Z]{1,8}[0-9]{1,12})?\">[A-Z0-9+&;]{0,9}</f>",
        "<is><t>.{0,20}</t></is>",
        Just("</c>".to_owned()),
        "[<>/&;=\"' a-z0-9]{0,10}",
    ]
}

fn spooled(content: &[u8]) -> std::fs::File {
    let mut file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut file, content).unwrap();
    file
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn bytes(content in prop::collection::vec(any::<u8>(), 0..2_000), zip in any::<bool>()) {
        let content = if zip { [b"PK\x03\x04".as_slice(), &content].concat() } else { content };
        prop_assert!(everything(content.clone().into()).is_err());
        let _ = Scans::open(spooled(&content), &Limits::default());
    }

    #[test]
    fn corrupted_packages(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8), cut in any::<prop::sample::Index>(), is_cut in any::<bool>()) {
        let mut content = sound().to_vec();
        for (place, byte) in changes {
            let place = place.index(content.len());
            content[place] = byte;
        }
        if is_cut {
            content.truncate(cut.index(content.len()));
        }
        let content = Bytes::from(content);
        let _ = everything(content.clone());
        let _ = Scans::open(spooled(&content), &Limits::default()).map(|mut scans| scans.read("workbook.xml", 1 << 20));
    }

    #[test]
    fn corrupted_sheets(pieces in prop::collection::vec(piece(), 0..24), header in any::<bool>()) {
        let inner = pieces.concat();
        let sheet = if header { sheet_of_answers(&inner) } else { format!("<worksheet>{inner}") };
        let _ = everything(package(&sheet, &[]));
    }

    #[test]
    fn corrupted_parts(
        part in prop::sample::select(vec!["xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/sharedStrings.xml", "xl/styles.xml", "_rels/.rels"]),
        inner in "(<(sst|si|t|xf|cellXfs|numFmt|numFmts|sheet|styleSheet|workbook|fonts|font|sz|color)( (uniqueCount|r:id|name|numFmtId|formatCode|val|rgb|theme|state)=\"[0-9a-zA-Z#.;:-]{0,20}\"){0,2}/?>|</(sst|si|xf|styleSheet|fonts)>|[<>&;a-z]){0,12}",
    ) {
        let sheet = sheet_of_answers("<row r=\"2\"><c r=\"A2\" t=\"s\" s=\"1\"><v>0</v></c></row>");
        let _ = everything(package(&sheet, &[(part, inner.as_bytes())]));
    }
}
