use super::*;
use crate::domain::audit::AuditFilter;
use crate::store::samples::stored_organization;
use crate::store::test_db::for_both;
use crate::test_service::{Bench, only};

/// The caller of a bench with a token that is stored, for these organisations besides its own.
async fn administrator_of(bench: &Bench, others: &[OrganizationId]) -> Caller {
    let mut organizations = vec![bench.caller.organization];
    organizations.extend(others);
    let new = NewToken {
        name: bench.caller.subject.clone(),
        scopes: bench.caller.scopes.clone(),
        organizations,
        employee: None,
        days: 30,
        created_by: "cli".to_owned(),
    };
    let token = bench.service.issue_token(new).await.unwrap();
    Caller { token: token.id, ..bench.caller.clone() }
}

fn grant(organizations: &[OrganizationId]) -> GrantToken {
    GrantToken {
        name: "Биллинг".to_owned(),
        scopes: Scopes::from_iter([Scope::RequestsRead]),
        organizations: organizations.to_vec(),
        employee: None,
        days: 180,
    }
}

async fn granted(service: &Service, caller: &Caller, grant: GrantToken) -> Result<SeenToken> {
    let mut tx = service.db.begin().await.unwrap();
    let seen = service.grant_token(&mut tx, caller, grant).await?;
    tx.commit().await.unwrap();
    Ok(seen)
}

async fn withdrawn(service: &Service, caller: &Caller, id: TokenId) -> Result<()> {
    let mut tx = service.db.begin().await.unwrap();
    service.withdraw_token(&mut tx, caller, id).await?;
    tx.commit().await.unwrap();
    Ok(())
}

fn exceeds<T: std::fmt::Debug>(result: Result<T>) -> bool {
    matches!(result, Err(Error::Refused { code: Code::RightsExceeded, .. }))
}

#[test]
fn a_token_has_no_more_than_its_issuers() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let mut tx = bench.service.db.begin().await.unwrap();
        let (second, foreign) = (stored_organization(&mut tx).await, stored_organization(&mut tx).await);
        tx.commit().await.unwrap();
        let caller = administrator_of(&bench, &[second]).await;
        let service = &bench.service;

        let implied = granted(service, &caller, grant(&[])).await.unwrap();
        assert_eq!(implied.token.organizations, [caller.organization]);
        let both = grant(&[second, caller.organization, second]);
        let both = granted(service, &caller, both).await.unwrap();
        assert_eq!((both.token.organizations.len(), both.reaches_others), (2, false));
        assert!(exceeds(granted(service, &caller, grant(&[foreign])).await));
        assert!(exceeds(granted(service, &caller, grant(&[OrganizationId::generate()])).await));
        let modest = Caller { scopes: Scopes::from_iter([Scope::Admin]), ..caller.clone() };
        assert!(exceeds(granted(service, &modest, grant(&[])).await));
        let billing = GrantToken { scopes: caller.scopes.clone(), ..grant(&[]) };
        granted(service, &caller, billing).await.unwrap();
        let reader = || Scopes::from_iter([Scope::Admin, Scope::RequestsRead]);
        let reading = Caller { scopes: reader(), ..caller.clone() };
        assert!(exceeds(granted(service, &reading, grant(&[])).await), "its drafts would be his");
        let other = GrantToken { name: "Другой".to_owned(), ..grant(&[]) };
        granted(service, &reading, other).await.unwrap();
        let somebody = Caller { employee: Some(EmployeeId::generate()), ..caller.clone() };
        assert!(exceeds(granted(service, &somebody, grant(&[])).await));
        let reader = only(&caller, Scope::RequestsRead);
        let refused = granted(service, &reader, grant(&[])).await;
        assert!(matches!(refused, Err(Error::Refused { code: Code::ScopeMissing, .. })));

        // The log of the other organisation tells of it too.
        let theirs = Caller { organization: second, ..caller.clone() };
        let told = service.list_audit_log(&theirs, &AuditFilter::default(), None, 9).await.unwrap();
        let target = format!("tokens/{}", both.token.id);
        assert!(told.iter().any(|entry| entry.action == "issue_token" && entry.target == target));
    });
}

#[test]
fn a_token_is_seen_by_those_who_share_an_organisation_and_loses_what_they_have() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let mut tx = bench.service.db.begin().await.unwrap();
        let second = stored_organization(&mut tx).await;
        tx.commit().await.unwrap();
        let (narrow, wide) = (administrator_of(&bench, &[]).await, administrator_of(&bench, &[second]).await);
        let service = &bench.service;
        let both = granted(service, &wide, grant(&[narrow.organization, second])).await.unwrap().token.id;
        let theirs = granted(service, &wide, grant(&[second])).await.unwrap().token.id;

        let seen = service.get_seen_token(&narrow, both).await.unwrap();
        assert_eq!(
            (seen.token.organizations.as_slice(), seen.reaches_others),
            (&[narrow.organization][..], true)
        );
        assert!(matches!(service.get_seen_token(&narrow, theirs).await, Err(Error::NotFound)));
        let listed = service.list_seen_tokens(&narrow, None, 9).await.unwrap();
        let ids: Vec<_> = listed.iter().map(|seen| seen.token.id).collect();
        assert_eq!(ids.len(), 3);
        assert!(ids.contains(&both) && !ids.contains(&theirs));
        assert_eq!(service.list_seen_tokens(&narrow, None, 1).await.unwrap(), listed[..1]);

        assert!(matches!(withdrawn(service, &narrow, theirs).await, Err(Error::NotFound)));
        assert!(matches!(withdrawn(service, &wide, wide.token).await, Err(Error::Conflict(_))));
        withdrawn(service, &narrow, both).await.unwrap();
        let left = service.get_seen_token(&wide, both).await.unwrap();
        assert_eq!((left.token.organizations, left.token.revoked_at), (vec![second], None));
        assert!(matches!(withdrawn(service, &narrow, both).await, Err(Error::NotFound)));
        for _ in 0..2 {
            withdrawn(service, &wide, both).await.unwrap();
        }
        let revoked = service.get_seen_token(&wide, both).await.unwrap();
        assert_eq!(revoked.token.revoked_at, Some(service.clock.now()));

        // Whoever was revoked a moment ago changes nothing any more.
        withdrawn(service, &wide, narrow.token).await.unwrap();
        let refused = granted(service, &narrow, grant(&[])).await;
        assert!(matches!(refused, Err(Error::Refused { code: Code::TokenRevoked, .. })));
    });
}
