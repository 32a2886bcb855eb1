//! `debtgate doctor`: what it says of a tunnel with GIS behind it, and of one that does not run.

use std::process::Output;

use chrono::Utc;
use gis_sim::{Config, Sim};
use serde_json::{Value, json};
use test_support::postgres::for_both_urls;
use uuid::Uuid;

use crate::harness::Workshop;

const GIS: &str = "ГИС ЖКХ";
/// The port of tcpmux, which nothing serves.
const NOBODY: &str = "http://127.0.0.1:1";

/// A gateway with one organisation before its first start. Certificates are judged by the clock of the machine.
fn furnished(database: &str, gis: &str) -> Workshop {
    let workshop = Workshop::furnish(database, &format!("base_url = \"{gis}\""), Utc::now(), "");
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
    let gis = all.iter().find(|finding| finding["check"] == GIS).unwrap().clone();
    let failed = all.iter().filter(|finding| finding["outcome"] == "failed");
    (gis, failed.map(|finding| finding["check"].as_str().unwrap().to_owned()).collect())
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
