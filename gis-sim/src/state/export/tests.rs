use super::*;
use crate::state::tests::{SUPPLIER, cabinet, moment, no_debt, today, world};
use crate::state::{Change, WorldError};
use crate::wire::model::{Period, RegistryObject, RequestStatus, ResponseStatus};

fn filter() -> Filter {
    let start = today() - chrono::Days::new(30);
    Filter {
        period: Period { start, end: today() },
        objects: Objects::Any,
        request_status: None,
        response_statuses: Vec::new(),
        page: None,
    }
}

fn export(selection: Selection) -> Export {
    Export { version: Version::V13, selection, include_responses: Some(true) }
}

fn run(world: &mut World, selection: Selection, switches: &Switches) -> Result<Page, GisError> {
    world.export(SUPPLIER, &export(selection), moment(100), switches)
}

fn all_blocks(world: &mut World, switches: &Switches) -> (Vec<Uuid>, Vec<usize>, Paging) {
    let (mut guids, mut sizes, mut filter) = (Vec::new(), Vec::new(), filter());
    loop {
        let page = run(world, Selection::Filter(filter.clone()), switches).unwrap();
        sizes.push(page.rows.len());
        guids.extend(page.rows.iter().map(|row| row.info.guid));
        match page.paging {
            Paging::Next(next) => filter.page = Some(next),
            end @ (Paging::Absent | Paging::Empty | Paging::Last) => return (guids, sizes, end),
        }
    }
}

#[test]
fn blocks_hold_each_subrequest_once() {
    let (mut world, infos) = world(250);
    let (guids, sizes, end) = all_blocks(&mut world, &Switches::default());
    assert_eq!((sizes, end), (vec![100, 100, 50], Paging::Last));
    let unique: HashSet<_> = guids.iter().collect();
    assert_eq!(unique.len(), infos.len());
}

#[test]
fn last_blocks_have_their_quirks() {
    let (mut world, _infos) = world(200);
    let (_, sizes, end) = all_blocks(&mut world, &Switches::default());
    assert_eq!((sizes, end), (vec![100, 100], Paging::Last));
    let odd = Switches { empty_last_page: true, last_page: LastPage::Empty, ..Switches::default() };
    let (guids, sizes, end) = all_blocks(&mut world, &odd);
    assert_eq!((sizes, end, guids.len()), (vec![100, 100, 0], Paging::Empty, 200));
}

#[test]
fn lost_blocks_come_at_last() {
    let (mut world, _infos) = world(150);
    let switches = Switches { page_lost_times: 2, ..Switches::default() };
    let first = run(&mut world, Selection::Filter(filter()), &switches).unwrap();
    let Paging::Next(next) = first.paging else { panic!("two blocks expected") };
    let second = Selection::Filter(Filter { page: Some(next), ..filter() });
    for _ in 0..2 {
        let error = run(&mut world, second.clone(), &switches).unwrap_err();
        assert!(error.description.contains("Content not found for guid:"), "{}", error.description);
    }
    assert_eq!(run(&mut world, second, &switches).unwrap().rows.len(), 50);
    let unknown = Selection::Filter(Filter { page: Some(Uuid::from_u128(5)), ..filter() });
    assert!(run(&mut world, unknown, &switches).is_err());
}

#[test]
fn a_block_begins_at_its_place_although_its_first_subrequest_was_answered() {
    let (mut world, _infos) = world(150);
    let open = Filter { response_statuses: vec![ResponseStatus::NotSent], ..filter() };
    let first = run(&mut world, Selection::Filter(open.clone()), &Switches::default()).unwrap();
    let Paging::Next(next) = first.paging else { panic!("two blocks expected") };
    world.apply(next, cabinet(1, Change::Sent(no_debt("meanwhile")))).unwrap();
    let second = Selection::Filter(Filter { page: Some(next), ..open });
    assert_eq!(run(&mut world, second, &Switches::default()).unwrap().rows.len(), 49);
}

#[test]
fn a_block_that_has_emptied_meanwhile_is_an_empty_last_one() {
    let (mut world, infos) = world(101);
    let open = Filter { response_statuses: vec![ResponseStatus::NotSent], ..filter() };
    let switches = Switches { page_lost_times: 1, ..Switches::default() };
    let first = run(&mut world, Selection::Filter(open.clone()), &switches).unwrap();
    let Paging::Next(next) = first.paging else { panic!("two blocks expected") };
    for info in &infos {
        world.apply(info.guid, cabinet(1, Change::Sent(no_debt("meanwhile")))).unwrap();
    }
    let second = Selection::Filter(Filter { page: Some(next), ..open.clone() });
    assert_eq!(run(&mut world, second.clone(), &switches).unwrap_err().code, codes::PAGE_LOST);
    let page = run(&mut world, second, &switches).unwrap();
    assert_eq!((page.rows.len(), page.paging), (0, Paging::Last));
    assert_eq!(run(&mut world, Selection::Filter(open), &switches).unwrap_err().code, codes::NOTHING);
}

#[test]
fn an_announced_empty_block_is_lost_like_any_other() {
    let (mut world, _infos) = world(100);
    let switches = Switches { page_lost_times: 1, empty_last_page: true, ..Switches::default() };
    let first = run(&mut world, Selection::Filter(filter()), &switches).unwrap();
    let Paging::Next(next) = first.paging else { panic!("an empty block expected") };
    let second = Selection::Filter(Filter { page: Some(next), ..filter() });
    assert_eq!(run(&mut world, second.clone(), &switches).unwrap_err().code, codes::PAGE_LOST);
    assert!(run(&mut world, second, &switches).unwrap().rows.is_empty());
}

#[test]
fn conditions_are_all_satisfied() {
    let (mut world, infos) = world(300);
    world.apply(infos[0].guid, cabinet(1, Change::Sent(no_debt("one")))).unwrap();
    world.apply(infos[1].guid, cabinet(1, Change::AutoGenerated)).unwrap();
    let mut count = |filter: Filter| {
        let switches = Switches::default();
        let page = run(&mut world, Selection::Filter(filter), &switches);
        page.map_or_else(|error| error.code, |page| page.rows.len().to_string())
    };
    let statuses = |list: &[ResponseStatus]| Filter { response_statuses: list.to_vec(), ..filter() };
    assert_eq!(count(statuses(&[ResponseStatus::Sent])), "1");
    assert_eq!(count(statuses(&[ResponseStatus::Sent, ResponseStatus::AutoGenerated])), "2");
    assert_eq!(count(Filter { request_status: Some(RequestStatus::Processed), ..filter() }), "2");
    let both = Filter { request_status: Some(RequestStatus::Sent), ..statuses(&[ResponseStatus::Sent]) };
    assert_eq!(count(both), codes::NOTHING);
    let house = infos[5].house;
    let at_house = infos.iter().filter(|info| info.house == house).count().to_string();
    assert_eq!(count(Filter { objects: Objects::Houses(vec![house]), ..filter() }), at_house);
    let object = infos[5].object.clone();
    let at_object = infos.iter().filter(|info| info.object == object).count().to_string();
    assert_eq!(count(Filter { objects: Objects::Registry(vec![object.clone()]), ..filter() }), at_object);
    let misnamed = RegistryObject { kind: "HouseBlock".to_owned(), ..object };
    assert_eq!(count(Filter { objects: Objects::Registry(vec![misnamed]), ..filter() }), codes::NOTHING);
    let day = infos[5].sent;
    let that_day = infos.iter().filter(|info| info.sent == day).count().to_string();
    assert_eq!(count(Filter { period: Period { start: day, end: day }, ..filter() }), that_day);
}

#[test]
fn named_subrequests_come_with_those_not_found() {
    let (mut world, infos) = world(3);
    world.withdraw(infos[2].guid, moment(1)).unwrap();
    let guids = vec![infos[0].guid, infos[2].guid, Uuid::nil()];
    let page = run(&mut world, Selection::Subrequests(guids), &Switches::default()).unwrap();
    assert_eq!(page.rows.len(), 1);
    assert_eq!(page.not_found, NotFound::Subrequests(vec![infos[2].guid, Uuid::nil()]));
    assert_eq!(page.paging, Paging::Absent);
    let numbers = vec![infos[1].number.clone(), "no such".to_owned()];
    let page = run(&mut world, Selection::Numbers(numbers), &Switches::default()).unwrap();
    assert_eq!(page.rows.len(), 1);
    assert_eq!(page.not_found, NotFound::Numbers(vec!["no such".to_owned()]));
    let nothing = run(&mut world, Selection::Subrequests(vec![Uuid::nil()]), &Switches::default());
    assert_eq!(nothing.unwrap_err().code, codes::NOTHING);
    let foreign = export(Selection::Subrequests(vec![infos[0].guid]));
    let error = world.export(Uuid::nil(), &foreign, moment(1), &Switches::default()).unwrap_err();
    assert_eq!(error.code, codes::NOTHING);
}

#[test]
fn the_format_decides_about_place_and_answer() -> Result<(), WorldError> {
    let (mut world, infos) = world(40);
    let info = infos.iter().find(|info| info.details.is_some()).unwrap();
    world.apply(info.guid, cabinet(1, Change::Sent(no_debt("no debt"))))?;
    let selection = Selection::Subrequests(vec![info.guid]);
    let mut subrequest = |version, include_responses, view| {
        let export = Export { version, selection: selection.clone(), include_responses };
        let page = world.export(SUPPLIER, &export, view, &Switches::default()).unwrap();
        page.to_wire().subrequests.remove(0)
    };
    let old = subrequest(Version::V13, Some(true), moment(2));
    assert_eq!(old.housing.place, Place::House { guid: info.house, details: info.details.clone() });
    assert_eq!(old.response.unwrap().description.as_deref(), Some("no debt"));
    assert!(subrequest(Version::V13, None, moment(2)).response.is_none());
    let new = subrequest(Version::V14, None, moment(2));
    assert_eq!(new.housing.place, Place::Object(info.object.clone()));
    assert!(new.response.is_some());
    let lagging = subrequest(Version::V15, None, moment(0));
    assert_eq!((lagging.response_status, lagging.response), (ResponseStatus::NotSent, None));
    Ok(())
}

#[test]
fn days_are_compared_inclusively() {
    let (mut world, infos) = world(1);
    let day = infos[0].sent;
    let period = Period { start: day + chrono::Days::new(1), end: day + chrono::Days::new(9) };
    let later = Selection::Filter(Filter { period, ..filter() });
    assert_eq!(run(&mut world, later, &Switches::default()).unwrap_err().code, codes::NOTHING);
}
