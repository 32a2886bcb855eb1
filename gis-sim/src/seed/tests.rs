use std::collections::{HashMap, HashSet};

use super::*;

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

fn some(seed: u64, count: u64) -> Vec<Info> {
    let supplier = Uuid::from_u128(7);
    let today = day(2026, 3, 16);
    (0..count).map(|index| subrequest(seed, supplier, index, today, &Requests::default())).collect()
}

#[test]
fn the_same_arguments_give_the_same_requests() {
    assert_eq!(some(1, 300), some(1, 300));
    assert_ne!(some(1, 1), some(2, 1));
    let other = subrequest(1, Uuid::from_u128(8), 0, day(2026, 3, 16), &Requests::default());
    assert_ne!(some(1, 1).first(), Some(&other));
}

#[test]
fn requests_look_like_real_ones() {
    let requests = some(1, 1000);
    let guids: HashSet<_> = requests.iter().map(|request| request.guid).collect();
    let numbers: HashSet<_> = requests.iter().map(|request| &request.number).collect();
    assert_eq!((guids.len(), numbers.len()), (1000, 1000));
    let mut houses: HashMap<Uuid, Vec<&Info>> = HashMap::new();
    for request in &requests {
        houses.entry(request.house).or_default().push(request);
    }
    for house in houses.values() {
        assert!(
            house
                .iter()
                .all(|other| other.address == house[0].address && other.fias_house == house[0].fias_house)
        );
    }
    assert!(houses.values().filter(|house| house.len() > 1).count() > 100, "requests share houses");
    let forms = |wanted: fn(&Info) -> bool| requests.iter().filter(|request| wanted(request)).count();
    assert!(forms(|request| request.fias_house.is_none()) > 50);
    assert!(forms(|request| request.details.is_none() && request.object.kind == "House") > 50);
    assert!(forms(|request| request.details.as_deref().is_some_and(|text| text.contains("комн."))) > 20);
    assert!(forms(|request| request.details.as_deref().is_some_and(|text| text.parse::<u32>().is_ok())) > 50);
    assert!(forms(|request| request.organization.telephone.is_none()) > 50);
}

#[test]
fn dates_hold_together() {
    for request in some(3, 500) {
        assert!(request.sent <= day(2026, 3, 16) && request.sent >= day(2026, 3, 10));
        assert!(request.respond_by >= day(2026, 3, 16), "none is overdue");
        assert_eq!(request.respond_by, deadline(request.sent));
        assert_eq!(request.period.end, request.sent.pred_opt().unwrap());
        let years = request.period.end.years_since(request.period.start).unwrap();
        assert_eq!(years, 3);
    }
}

#[test]
fn none_is_overdue_on_any_day_of_the_week() {
    for today in day(2026, 1, 1).iter_days().take(365) {
        for index in 0..40 {
            let request = subrequest(5, Uuid::from_u128(7), index, today, &Requests::default());
            assert!(request.respond_by >= today, "{today}: sent {}", request.sent);
        }
    }
}

#[test]
fn request_numbers_leave_the_sandbox_endings_alone() {
    for request in some(4, 1000) {
        assert_eq!(request.number.len(), 14);
        let ending: u32 = request.number.get(12..).unwrap().parse().unwrap();
        assert!((10..=99).contains(&ending), "{}", request.number);
    }
}

#[test]
fn working_days_pass_over_weekends_and_holidays() {
    assert_eq!(add_working_days(day(2026, 3, 16), 5), day(2026, 3, 23));
    assert_eq!(add_working_days(day(2026, 3, 14), 5), day(2026, 3, 20));
    assert_eq!(add_working_days(day(2025, 12, 31), 1), day(2026, 1, 9));
    assert_eq!(add_working_days(day(2026, 6, 11), 1), day(2026, 6, 15));
}

#[test]
fn plain_habits_give_one_form() {
    let habits = Requests { without_fias_one_in: 0, premises: Variety::Plain, spelling: Variety::Plain };
    for index in 0..200 {
        let request = subrequest(1, Uuid::from_u128(7), index, day(2026, 3, 16), &habits);
        assert!(request.fias_house.is_some());
        assert!(request.address.starts_with("000000, обл. Приозёрская, г. "));
        assert!(request.details.is_none_or(|text| text.starts_with("кв. ")));
    }
}
