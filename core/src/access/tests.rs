use chrono::TimeDelta;
use chrono_tz::Tz;
use uuid::Uuid;

use super::*;
use crate::Error;
use crate::domain::caller::{Scope, Scopes};
use crate::ids::{EmployeeId, OrganizationId, TokenId};
use crate::store::test_db::for_both;
use crate::store::{debt_requests, samples};
use crate::test_service::Bench;

fn new_organization() -> NewOrganization {
    NewOrganization {
        id: None,
        name: "АО «Свет»".to_owned(),
        ogrn: "1026605606620".parse().unwrap(),
        ppa_guid: Uuid::now_v7(),
        signer: "main".to_owned(),
        time_zone: Tz::Asia__Omsk,
        executors: vec![
            ("Яковлева Анна".to_owned(), Uuid::now_v7()),
            ("Андреев Пётр".to_owned(), Uuid::now_v7()),
        ],
    }
}

fn new_token(organization: OrganizationId) -> NewToken {
    NewToken {
        name: "1С Биллинг".to_owned(),
        scopes: Scopes::from_iter([Scope::RequestsRead]),
        organizations: vec![organization],
        employee: None,
        days: 180,
        created_by: "cli".to_owned(),
    }
}

fn codes(error: Error) -> Vec<&'static str> {
    let Error::Invalid(mistakes) = error else { panic!("not a list of mistakes: {error}") };
    mistakes.iter().map(|mistake| mistake.code).collect()
}

#[test]
fn the_first_executor_stands_in() {
    for_both(async |db| {
        let service = Bench::new(db).await.service;
        let added = service.add_organization(new_organization()).await.unwrap();
        let shown = service.show_organization(added.organization.id).await.unwrap();
        assert_eq!(shown.organization, added.organization);
        let first = added.employees.first().unwrap();
        assert_eq!(shown.organization.default_executor, Some(first.id));
        assert_eq!(shown.employees.len(), 2);
        assert!(shown.employees.contains(first));
        assert_eq!(service.list_organizations().await.unwrap().len(), 2);
    });
}

#[test]
fn a_supplier_of_gis_is_one_organisation_here() {
    for_both(async |db| {
        let service = Bench::new(db).await.service;
        let new = new_organization();
        let added = service.add_organization(new.clone()).await.unwrap();
        let again = service.add_organization(new).await.unwrap_err();
        let Error::Conflict(conflict) = again else { panic!("{again}") };
        assert!(conflict.detail.contains("orgPPAGUID"), "{}", conflict.detail);
        let twin = NewOrganization { id: Some(added.organization.id), ..new_organization() };
        let Error::Conflict(conflict) = service.add_organization(twin).await.unwrap_err() else { panic!() };
        assert!(conflict.detail.contains("идентификатором"), "{}", conflict.detail);
        let nameless = NewOrganization { name: " ".to_owned(), ..new_organization() };
        assert_eq!(codes(service.add_organization(nameless).await.unwrap_err()), ["required"]);
        let unsigned = NewOrganization { signer: "other".to_owned(), ..new_organization() };
        assert_eq!(codes(service.add_organization(unsigned).await.unwrap_err()), ["not_found"]);
        assert_eq!(service.list_organizations().await.unwrap().len(), 2, "nothing was stored");
    });
}

#[test]
fn an_organisation_with_debt_requests_stays() {
    for_both(async |db| {
        let Bench { service, caller, .. } = Bench::new(db).await;
        let id = service.add_organization(new_organization()).await.unwrap().organization.id;
        let token = service.issue_token(new_token(id)).await.unwrap();
        service.remove_organization(id).await.unwrap();
        assert!(service.check_token(token.id).await.unwrap().unwrap().revoked_at.is_some());
        assert!(matches!(service.show_organization(id).await, Err(Error::NotFound)));
        assert!(matches!(service.remove_organization(id).await, Err(Error::NotFound)));

        let mut tx = service.db.begin().await.unwrap();
        let request = samples::request(caller.organization);
        debt_requests::save(&mut tx, &[request]).await.unwrap();
        tx.commit().await.unwrap();
        assert!(matches!(service.remove_organization(caller.organization).await, Err(Error::Conflict(_))));
    });
}

#[test]
fn a_token_lives_as_long_as_it_says_or_until_it_is_revoked() {
    for_both(async |db| {
        let Bench { service, caller, .. } = Bench::new(db).await;
        let token = service.issue_token(new_token(caller.organization)).await.unwrap();
        assert_eq!(token.expires_at - token.created_at, TimeDelta::days(180));
        assert_eq!(service.check_token(token.id).await.unwrap().unwrap().revoked_at, None);
        assert_eq!(service.check_token(TokenId::generate()).await.unwrap(), None);

        service.revoke_token(token.id).await.unwrap();
        let revoked_at = service.check_token(token.id).await.unwrap().unwrap().revoked_at;
        assert_eq!(revoked_at, Some(service.clock.now()), "at once where it was revoked");
        assert!(matches!(service.revoke_token(token.id).await, Err(Error::NotFound)));
        assert_eq!(service.list_tokens().await.unwrap().len(), 1);
    });
}

#[test]
fn a_revocation_elsewhere_is_seen_within_half_a_minute() {
    for_both(async |db| {
        let Bench { service, caller, .. } = Bench::new(db).await;
        let token = service.issue_token(new_token(caller.organization)).await.unwrap();
        assert!(service.check_token(token.id).await.unwrap().is_some());
        let mut tx = service.db.begin().await.unwrap();
        assert!(crate::store::tokens::revoke(&mut tx, token.id, service.clock.now()).await.unwrap());
        tx.commit().await.unwrap();
        let revoked = async || service.check_token(token.id).await.unwrap().unwrap().revoked_at.is_some();
        service.clock.advance(TimeDelta::seconds(29));
        assert!(!revoked().await);
        service.clock.advance(TimeDelta::seconds(1));
        assert!(revoked().await);
    });
}

#[test]
fn a_token_names_what_exists() {
    for_both(async |db| {
        let Bench { service, caller, .. } = Bench::new(db).await;
        let stranger = new_token(OrganizationId::generate());
        assert_eq!(codes(service.issue_token(stranger).await.unwrap_err()), ["not_found"]);
        let own = new_token(caller.organization);
        let nobody = NewToken { employee: Some(EmployeeId::generate()), ..own.clone() };
        assert_eq!(codes(service.issue_token(nobody).await.unwrap_err()), ["not_found"]);

        let other = service.add_organization(new_organization()).await.unwrap();
        let employee = other.employees.first().unwrap().id;
        let foreign = NewToken { employee: Some(employee), ..own };
        assert_eq!(codes(service.issue_token(foreign).await.unwrap_err()), ["not_found"]);
        let right = NewToken { employee: Some(employee), ..new_token(other.organization.id) };
        let token = service.issue_token(right).await.unwrap();

        let me = service.me(token.clone()).await.unwrap();
        assert_eq!(me.token, token);
        let default_executor = other.employees.first().cloned();
        assert_eq!(
            me.organizations,
            [OwnOrganization { organization: other.organization, default_executor }]
        );
        assert_eq!(me.employee.map(|employee| employee.id), Some(employee));
    });
}

#[test]
fn a_use_is_noted_beside_the_request() {
    for_both(async |db| {
        let Bench { service, caller, .. } = Bench::new(db).await;
        let token = service.issue_token(new_token(caller.organization)).await.unwrap();
        assert_eq!(service.check_token(token.id).await.unwrap().unwrap().last_used_at, None);
        let noted = async {
            loop {
                let tokens = service.list_tokens().await.unwrap();
                match tokens.first().unwrap().last_used_at {
                    Some(time) => return time,
                    None => tokio::task::yield_now().await,
                }
            }
        };
        let noted = tokio::time::timeout(std::time::Duration::from_secs(30), noted).await.unwrap();
        assert_eq!(noted, service.clock.now());
    });
}
