use uuid::Uuid;

use super::*;
use crate::access::NewToken;
use crate::store::samples::{self, stored_organization};
use crate::store::test_db::for_both;
use crate::test_service::Bench;

/// The caller of a bench with a token that is stored.
async fn administrator_of(bench: &Bench) -> Caller {
    let new = NewToken {
        name: bench.caller.subject.clone(),
        scopes: bench.caller.scopes.clone(),
        organizations: vec![bench.caller.organization],
        employee: None,
        days: 30,
        created_by: "cli".to_owned(),
    };
    let token = bench.service.issue_token(new).await.unwrap();
    Caller { token: token.id, ..bench.caller.clone() }
}

fn second() -> NewOrganization {
    NewOrganization {
        id: None,
        name: "АО «Свет»".to_owned(),
        ogrn: "1026605606620".parse().unwrap(),
        ppa_guid: Uuid::now_v7(),
        signer: "main".to_owned(),
        time_zone: Tz::Asia__Omsk,
        executors: vec![("Яковлева Анна".to_owned(), Uuid::now_v7())],
    }
}

async fn opened(service: &Service, caller: &Caller, new: NewOrganization) -> Result<Organization> {
    let mut tx = service.db.begin().await.unwrap();
    let organization = service.open_organization(&mut tx, caller, new).await?;
    tx.commit().await.unwrap();
    Ok(organization)
}

#[test]
fn the_token_that_adds_an_organisation_has_it() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let (caller, stranger) = (administrator_of(&bench).await, administrator_of(&bench).await);
        let service = &bench.service;
        let added = opened(service, &caller, second()).await.unwrap();
        assert_eq!(service.get_own_organization(&caller, added.id).await.unwrap(), added);
        let ids = async |caller: &Caller, after: Option<OrganizationId>| {
            let own = service.list_own_organizations(caller, after, 9).await.unwrap();
            own.iter().map(|organization| organization.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(&caller, None).await, [caller.organization, added.id]);
        assert_eq!(ids(&caller, Some(caller.organization)).await, [added.id]);
        assert_eq!(ids(&stranger, None).await, [caller.organization]);
        assert!(matches!(service.get_own_organization(&stranger, added.id).await, Err(Error::NotFound)));

        let twin = NewOrganization { ppa_guid: added.ppa_guid, ..second() };
        assert!(matches!(opened(service, &caller, twin).await, Err(Error::Conflict(_))));
        assert_eq!(ids(&caller, None).await.len(), 2, "nothing was stored");

        let mut tx = service.db.begin().await.unwrap();
        service.close_organization(&mut tx, &caller, added.id, Some(added.version)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(ids(&caller, None).await, [caller.organization]);
    });
}

#[test]
fn whoever_stands_in_works_there_and_is_known_in_gis() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let caller = administrator_of(&bench).await;
        let service = &bench.service;
        let id = caller.organization;
        let mut tx = service.db.begin().await.unwrap();
        let foreign = samples::employee(stored_organization(&mut tx).await);
        let known = samples::employee(id);
        let unknown = crate::domain::employee::Employee { gis_guid: None, ..samples::employee(id) };
        for employee in [&foreign, &known, &unknown] {
            employees::insert(&mut tx, employee).await.unwrap();
        }
        for (employee, expected) in
            [(foreign.id, Some("not_found")), (unknown.id, Some("executor_without_gis_id")), (known.id, None)]
        {
            let edit = EditOrganization { default_executor: Some(employee), ..EditOrganization::default() };
            let code = match service.edit_organization(&mut tx, &caller, id, edit, None).await {
                Ok(organization) => {
                    assert_eq!((organization.default_executor, organization.version), (Some(employee), 2));
                    None
                }
                Err(Error::Invalid(mistakes)) => mistakes.first().map(|mistake| mistake.code),
                Err(error) => panic!("{error}"),
            };
            assert_eq!(code, expected);
        }
        let stale =
            service.edit_organization(&mut tx, &caller, id, EditOrganization::default(), Some(1)).await;
        assert!(matches!(stale, Err(Error::VersionMismatch { current: 2 })));
    });
}
