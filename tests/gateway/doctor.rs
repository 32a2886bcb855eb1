//! `debtgate doctor`: what it says of a tunnel with GIS behind it, of one that does not run, and of everything else that a
//! gateway needs.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::Output;

use chrono::{DateTime, TimeDelta, Utc};
use gis_sim::rules::dictionaries::Dictionary;
use gis_sim::{Config, Sim};
use serde_json::{Value, json};
use test_support::postgres::{for_both_urls, for_sqlite_url};
use uuid::Uuid;

use crate::harness::Workshop;

const GIS: &str = "ГИС ЖКХ";
/// The port of tcpmux, which nothing serves.
const NOBODY: &str = "http://127.0.0.1:1";

/// A gateway with one organisation before its first start. Certificates are judged by the clock of the machine.
fn furnished(database: &str, gis: &str) -> Workshop {
    furnished_with(database, gis, "")
}

/// The same with more settings.
fn furnished_with(database: &str, gis: &str, more: &str) -> Workshop {
    let workshop = Workshop::furnish(database, &format!("base_url = \"{gis}\""), Utc::now(), more);
    let executor = format!("Образцова Анна Сергеевна={}", Uuid::now_v7());
    workshop.organization("УК «Пример»", "1027700132195", Uuid::now_v7(), &executor);
    workshop
}

fn printed(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The finding about GIS, and the checks that failed.
fn findings(output: &Output) -> (Value, Vec<String>) {
    let all: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let failed = all.iter().filter(|finding| finding["outcome"] == "failed");
    let failed = failed.map(|finding| finding["check"].as_str().unwrap().to_owned()).collect();
    (finding(output, GIS), failed)
}

/// The finding about one thing.
fn finding(output: &Output, check: &str) -> Value {
    let all: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let found = all.into_iter().find(|finding| finding["check"] == check);
    found.unwrap_or_else(|| panic!("nothing about {check}: {}", printed(output)))
}

/// A finding whose outcome and detail are these, and whose advice has these words.
#[track_caller]
fn tells(finding: &Value, outcome: &str, detail: &str, advice: &str) {
    let text = |name: &str| finding[name].as_str().unwrap_or_default();
    assert_eq!(text("outcome"), outcome, "{finding:#}");
    assert!(text("detail").contains(detail) && text("advice").contains(advice), "{finding:#}");
}

/// The address of a far end that answers every question with this status and these headers.
fn far_end(head: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let reply = format!("HTTP/1.1 {head}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            // To its end: a connection that is closed with a request unread is reset.
            let lines = BufReader::new(&stream).lines().map_while(Result::ok);
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            drop((&stream).write_all(reply.as_bytes()));
        }
    });
    format!("http://{address}")
}

/// The header with which a far end says what time it is.
fn date(time: DateTime<Utc>) -> String {
    format!("Date: {}", time.format("%a, %d %b %Y %H:%M:%S GMT"))
}

#[test]
fn f70_the_tunnel_is_checked_and_what_to_do_about_it_is_told() {
    for_both_urls(async |database| {
        let sim = Sim::start(Config::default()).unwrap();
        let workshop = furnished(database, &sim.base_url());
        let well = workshop.attempt(&["doctor", "--json"], &[]);
        let (gis, failed) = findings(&well);
        assert_eq!((well.status.code(), failed), (Some(0), Vec::new()), "{}", printed(&well));
        assert_eq!(
            (&gis["outcome"], &gis["detail"], &gis["advice"]),
            (&json!("ok"), &json!("отвечает через туннель, HTTP 200"), &Value::Null)
        );
        let well = workshop.attempt(&["doctor"], &[]);
        assert_eq!(well.status.code(), Some(0));
        assert!(printed(&well).contains("ГИС ЖКХ: отвечает через туннель, HTTP 200\n"));

        let elsewhere = [("DEBTGATE__GIS__BASE_URL", NOBODY)];
        let ill = workshop.attempt(&["doctor", "--json"], &elsewhere);
        let (gis, failed) = findings(&ill);
        assert_eq!((ill.status.code(), failed), (Some(1), vec![GIS.to_owned()]), "{}", printed(&ill));
        let told = |name: &str| gis[name].as_str().unwrap();
        assert!(told("detail").contains("the connection was refused"), "{gis:#}");
        assert!(told("advice").starts_with("проверьте, что туннель ГОСТ TLS запущен"), "{gis:#}");
        let ill = workshop.attempt(&["doctor"], &elsewhere);
        assert_eq!(ill.status.code(), Some(1));
        let lines = printed(&ill);
        let mut lines = lines.lines().skip_while(|line| !line.starts_with("ошибка"));
        assert!(lines.next().unwrap().contains(GIS));
        assert!(lines.next().unwrap().contains("что делать: проверьте, что туннель ГОСТ TLS запущен"));
    });
}

#[test]
fn an_answer_that_is_no_success_is_told_with_the_key_that_may_be_wrong() {
    for_sqlite_url(async |database| {
        let workshop = furnished(database, NOBODY);
        let doctor = |head: &str| {
            let elsewhere = far_end(head);
            workshop.attempt(&["doctor", "--json"], &[("DEBTGATE__GIS__BASE_URL", elsewhere.as_str())])
        };
        for (head, advice) in [
            ("401 Unauthorized", "gis.basic"),
            ("403 Forbidden", "gis.basic"),
            ("302 Found\r\nLocation: http://127.0.0.1:1/", "gis.base_url и gis.host"),
            ("404 Not Found", "gis.base_url и gis.host"),
            ("500 Internal Server Error", "журнал туннеля"),
            ("503 Service Unavailable", "что туннель ГОСТ TLS запущен"),
        ] {
            let output = doctor(head);
            let (gis, failed) = findings(&output);
            assert_eq!((output.status.code(), failed), (Some(1), vec![GIS.to_owned()]), "{head}");
            tells(&gis, "failed", "", advice);
        }
        let output = doctor("204 No Content");
        assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
        tells(&finding(&output, GIS), "ok", "HTTP 204", "");
    });
}

#[test]
fn the_clock_is_compared_with_that_of_gis() {
    for_sqlite_url(async |database| {
        let workshop = furnished(database, NOBODY);
        let now = Utc::now();
        for (head, outcome, detail) in [
            (format!("200 OK\r\n{}", date(now)), "ok", "идут так же"),
            (format!("200 OK\r\n{}", date(now - TimeDelta::hours(1))), "warning", "спешат на 36"),
            (format!("200 OK\r\n{}", date(now + TimeDelta::hours(3))), "warning", "отстают на 10"),
            // Whoever refuses us has a clock too.
            (format!("403 Forbidden\r\n{}", date(now - TimeDelta::hours(1))), "warning", "спешат на 36"),
            ("200 OK".to_owned(), "warning", "не сверены"),
        ] {
            let elsewhere = far_end(&head);
            let elsewhere = [("DEBTGATE__GIS__BASE_URL", elsewhere.as_str())];
            let output = workshop.attempt(&["doctor", "--json"], &elsewhere);
            let advice = if outcome == "ok" { "" } else { "NTP" };
            tells(&finding(&output, "часы"), outcome, detail, advice);
            assert_eq!(output.status.success(), head.starts_with("200"), "a warning is no failure");
        }
    });
}

#[test]
fn every_signer_has_to_sign() {
    for_sqlite_url(async |database| {
        let sim = Sim::start(Config::default()).unwrap();
        let command = |name: &str, program: &str, arguments: &str| {
            format!(
                "[signers.{name}]\nkind = \"command\"\nprogram = \"{program}\"\narguments = [{arguments}]\n\
                 certificate = \"gost.cert.pem\"\n"
            )
        };
        let wrong = format!("\"{}\"", "11".repeat(64));
        let signers = [
            command("absent", "no-such-program-of-debtgate", ""),
            command("locked", "false", ""),
            command("other", "echo", &wrong),
        ];
        let workshop = furnished_with(database, &sim.base_url(), &signers.concat());
        let output = workshop.attempt(&["doctor", "--json"], &[]);
        let (_, failed) = findings(&output);
        assert_eq!(failed, ["подпись absent", "подпись locked", "подпись other"], "{}", printed(&output));
        assert_eq!(output.status.code(), Some(1));
        tells(&finding(&output, "подпись main"), "ok", "подписывает", "");
        for (check, detail) in [
            ("подпись absent", "could not be started"),
            ("подпись locked", "failed with"),
            ("подпись other", "does not verify"),
        ] {
            tells(&finding(&output, check), "failed", detail, "program, arguments и PIN");
        }
    });
}

#[test]
fn files_go_there_and_back_and_nothing_is_left() {
    for_both_urls(async |database| {
        let sim = Sim::start(Config::default()).unwrap();
        let workshop = furnished(database, &sim.base_url());
        let key = workshop.path("files.key");
        let sealed = [("DEBTGATE__ENCRYPTION__KEY_FILE", key.as_str())];
        for environment in [&sealed[..0], &sealed[..]] {
            let output = workshop.attempt(&["doctor", "--json"], environment);
            tells(&finding(&output, "файлы"), "ok", "запись, чтение и удаление", "");
            assert_eq!(std::fs::read_dir(workshop.path("files")).unwrap().count(), 0);
        }
        let nowhere = [("DEBTGATE__FILES__URL", "file:///dev/null/files")];
        let output = workshop.attempt(&["doctor", "--json"], &nowhere);
        let (_, failed) = findings(&output);
        assert_eq!((output.status.code(), failed), (Some(1), vec!["файлы".to_owned()]));
        tells(&finding(&output, "файлы"), "failed", "files.url", "[files]");
    });
}

#[test]
fn dictionaries_are_counted_and_must_be_where_they_are_said_to_be() {
    for_sqlite_url(async |database| {
        let sim = Sim::start(Config::default()).unwrap();
        let workshop = furnished(database, &sim.base_url());
        let output = workshop.attempt(&["doctor", "--json"], &[]);
        let count = |dictionary: Dictionary| dictionary.entries().len();
        let expected = format!(
            "записей НСИ 95: {}, НСИ 358: {}",
            count(Dictionary::IdentityDocuments),
            count(Dictionary::DebtDocuments)
        );
        tells(&finding(&output, "справочники"), "ok", &expected, "");

        let lost = [("DEBTGATE__DICTIONARIES__FILE", "lost.toml")];
        let output = workshop.attempt(&["doctor", "--json"], &lost);
        let (_, failed) = findings(&output);
        assert_eq!((output.status.code(), failed), (Some(1), vec!["справочники".to_owned()]));
        tells(&finding(&output, "справочники"), "failed", "lost.toml", "[dictionaries] file");
        // A command that needs the whole service does not begin without them, as `serve` does not.
        let refused = workshop.attempt(&["org", "list"], &lost);
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success(), "{told}");
        assert!(told.contains("dictionaries.file") && told.contains("lost.toml"), "{told}");
    });
}

#[test]
fn beside_a_running_gateway_there_is_nothing_wrong() {
    for_both_urls(async |database| {
        let sim = Sim::start(Config::default()).unwrap();
        let workshop = furnished(database, &sim.base_url());
        let gateway = workshop.serve_with(&[]);
        let output = workshop.attempt(&["doctor", "--json"], &[]);
        let (_, failed) = findings(&output);
        assert_eq!((output.status.code(), failed), (Some(0), Vec::new()), "{}", printed(&output));
        let tables = finding(&output, "база данных");
        if database.starts_with("sqlite") {
            tells(&tables, "warning", "шлюз работает", "остановите шлюз");
        } else {
            tells(&tables, "ok", "таблицы в порядке", "");
        }
        drop(gateway);
    });
}
