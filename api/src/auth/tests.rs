use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{EncodingKey, encode};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::config::{AlgorithmSetting, KeyMaterial, KeySetting};

const RSA: &str = include_str!("testdata/rsa.pem");
const RSA_PUBLIC: &str = include_str!("testdata/rsa.pub.pem");
const SECRET: &str = "an invented secret of 32 bytes !";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn claims() -> Claims {
    Claims {
        id: TokenId::from(Uuid::from_u128(1)),
        subject: "1С Биллинг".to_owned(),
        issued_at: now(),
        expires_at: now() + TimeDelta::days(180),
        organizations: vec![OrganizationId::from(Uuid::from_u128(2))],
        scopes: [Scope::RequestsRead, Scope::AnswersSubmit].into_iter().collect(),
        employee: Some(EmployeeId::from(Uuid::from_u128(3))),
    }
}

struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        let bench = Self { folder: tempfile::tempdir().unwrap() };
        write_new(&bench.path("ed"), &generate_ed25519().unwrap()).unwrap();
        write_new(&bench.path("ed.other"), &generate_ed25519().unwrap()).unwrap();
        fs::write(bench.path("rsa"), RSA).unwrap();
        fs::write(bench.path("rsa.pub"), RSA_PUBLIC).unwrap();
        fs::write(bench.path("secret"), format!("{SECRET}\n")).unwrap();
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn keys(&self, keys: &[(&str, AlgorithmSetting, KeyMaterial)]) -> Result<KeySet, KeyError> {
        let keys = keys.iter().map(|(kid, algorithm, material)| KeySetting {
            kid: (*kid).to_owned(),
            algorithm: *algorithm,
            material: material.clone(),
        });
        let (issuer, audience) = ("debtgate".to_owned(), "debtgate".to_owned());
        KeySet::load(&AuthSettings { issuer, audience, keys: keys.collect() })
    }

    fn all(&self) -> KeySet {
        self.keys(&[
            ("ed", AlgorithmSetting::EdDsa, KeyMaterial::Private(self.path("ed"))),
            ("rsa", AlgorithmSetting::Rs256, KeyMaterial::Public(self.path("rsa.pub"))),
            ("hs", AlgorithmSetting::Hs256, KeyMaterial::Secret(self.path("secret"))),
        ])
        .unwrap()
    }

    fn ed(&self, name: &str) -> EncodingKey {
        EncodingKey::from_ed_pem(&fs::read(self.path(name)).unwrap()).unwrap()
    }
}

fn header(algorithm: Algorithm, kid: &str) -> Header {
    Header { typ: Some(TYPE.to_owned()), kid: Some(kid.to_owned()), ..Header::new(algorithm) }
}

fn body() -> Value {
    let at = now().timestamp();
    json!({
        "iss": "debtgate", "aud": "debtgate", "sub": "x", "jti": Uuid::from_u128(1), "iat": at, "exp": at + 600,
        "orgs": [], "scope": "requests:read openid",
    })
}

fn with(changes: &Value) -> Value {
    let mut body = body();
    for (name, value) in changes.as_object().unwrap() {
        body.as_object_mut().unwrap().insert(name.clone(), value.clone());
    }
    body
}

#[test]
fn what_is_issued_is_verified_with_every_kind_of_key() {
    let bench = Bench::new();
    for (algorithm, material) in [
        (AlgorithmSetting::EdDsa, KeyMaterial::Private(bench.path("ed"))),
        (AlgorithmSetting::Rs256, KeyMaterial::Private(bench.path("rsa"))),
        (AlgorithmSetting::Hs256, KeyMaterial::Secret(bench.path("secret"))),
    ] {
        let keys = bench.keys(&[("main", algorithm, material)]).unwrap();
        let token = keys.issue(&claims()).unwrap();
        assert_eq!(keys.verify(&token, now()), Ok(claims()), "{algorithm:?}");
    }
    let signed =
        bench.keys(&[("rsa", AlgorithmSetting::Rs256, KeyMaterial::Private(bench.path("rsa")))]).unwrap();
    assert_eq!(
        bench.all().verify(&signed.issue(&claims()).unwrap(), now()),
        Ok(claims()),
        "by the public half"
    );
}

#[test]
fn a_public_key_alone_issues_nothing() {
    let bench = Bench::new();
    let keys =
        bench.keys(&[("rsa", AlgorithmSetting::Rs256, KeyMaterial::Public(bench.path("rsa.pub")))]).unwrap();
    assert!(!keys.can_sign());
    let Err(refused) = keys.issue(&claims()) else { panic!("it signs") };
    assert!(matches!(refused, IssueError::NoSigningKey));
    let Error::Conflict(conflict) = Error::from(refused) else { panic!("no conflict") };
    assert_eq!(conflict.code, Code::SigningKeyMissing);
}

#[test]
fn headers_that_attack_are_refused() {
    let bench = Bench::new();
    let keys = bench.all();
    let (ed, other) = (bench.ed("ed"), bench.ed("ed.other"));
    let public = EncodingKey::from_secret(RSA_PUBLIC.as_bytes());
    let secret = EncodingKey::from_secret(SECRET.as_bytes());
    let edit = |change: fn(&mut Header)| {
        let mut header = header(Algorithm::EdDSA, "ed");
        change(&mut header);
        header
    };
    for (what, header, key, expected) in [
        ("HS256 with the public key", header(Algorithm::HS256, "rsa"), &public, AuthError::Algorithm),
        ("HS256 under the kid of Ed25519", header(Algorithm::HS256, "ed"), &secret, AuthError::Algorithm),
        ("another key, same kid", header(Algorithm::EdDSA, "ed"), &other, AuthError::Signature),
        ("unknown kid", header(Algorithm::EdDSA, "new"), &ed, AuthError::UnknownKey),
        ("no kid", edit(|header| header.kid = None), &ed, AuthError::Malformed),
        ("typ JWT", edit(|header| header.typ = Some("JWT".to_owned())), &ed, AuthError::Malformed),
        ("no typ", edit(|header| header.typ = None), &ed, AuthError::Malformed),
        ("crit", edit(|header| header.crit = Some(vec!["b64".to_owned()])), &ed, AuthError::Malformed),
    ] {
        let token = encode(&header, &body(), key).unwrap();
        assert_eq!(keys.verify(&token, now()), Err(expected), "{what}");
    }
}

#[test]
fn claims_that_attack_are_refused() {
    let bench = Bench::new();
    let (keys, key) = (bench.all(), bench.ed("ed"));
    let at = now().timestamp();
    for (changes, expected) in [
        (json!({"iss": "other"}), AuthError::Issuer),
        (json!({"aud": "other"}), AuthError::Audience),
        (json!({"aud": ["other"]}), AuthError::Audience),
        (json!({"aud": []}), AuthError::Audience),
        (json!({"exp": at - 30}), AuthError::Expired),
        (json!({"exp": 0}), AuthError::Expired),
        (json!({"exp": i64::MIN}), AuthError::Expired),
        (json!({"iat": at + 31}), AuthError::NotYetValid),
        (json!({"nbf": at + 31}), AuthError::NotYetValid),
        (json!({"exp": i64::MAX}), AuthError::Claims),
        (json!({"exp": "1800000600"}), AuthError::Claims),
        (json!({"exp": 1e18}), AuthError::Claims),
        (json!({"jti": "x"}), AuthError::Claims),
        (json!({"orgs": "x"}), AuthError::Claims),
        (json!({"sub": ""}), AuthError::Claims),
    ] {
        let token = encode(&header(Algorithm::EdDSA, "ed"), &with(&changes), &key).unwrap();
        assert_eq!(keys.verify(&token, now()), Err(expected), "{changes}");
    }
    for name in ["iss", "aud", "sub", "jti", "iat", "exp", "orgs", "scope"] {
        let mut body = body();
        body.as_object_mut().unwrap().remove(name);
        let token = encode(&header(Algorithm::EdDSA, "ed"), &body, &key).unwrap();
        assert_eq!(keys.verify(&token, now()), Err(AuthError::Claims), "without {name}");
    }
}

#[test]
fn clocks_may_differ_by_thirty_seconds_and_unknown_scopes_allow_nothing() {
    let bench = Bench::new();
    let (keys, key) = (bench.all(), bench.ed("ed"));
    let at = now().timestamp();
    for changes in [
        json!({"exp": at - 29}),
        json!({"iat": at + 30, "nbf": at + 30}),
        json!({"aud": ["other", "debtgate"]}),
    ] {
        let token = encode(&header(Algorithm::EdDSA, "ed"), &with(&changes), &key).unwrap();
        let claims = keys.verify(&token, now()).unwrap();
        assert_eq!(claims.scopes.to_string(), "requests:read", "{changes}");
    }
}

#[test]
fn texts_that_are_no_tokens_are_refused() {
    let bench = Bench::new();
    let keys = bench.all();
    let token = keys.issue(&claims()).unwrap();
    let [head, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"at+jwt","kid":"ed"}"#);
    let twice = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","alg":"HS256","typ":"at+jwt","kid":"ed"}"#);
    for (text, expected) in [
        (String::new(), AuthError::Malformed),
        ("a.b.c".to_owned(), AuthError::Malformed),
        (format!("{none}.{claims}."), AuthError::Malformed),
        (format!("{none}.{claims}.{signature}"), AuthError::Malformed),
        (format!("{twice}.{claims}.{signature}"), AuthError::Malformed),
        (format!("{head}.{claims}."), AuthError::Signature),
        (format!("{head}.{claims}"), AuthError::Malformed),
        (format!("{head}.{claims}.{signature}.x"), AuthError::Malformed),
        (token[..token.len() - 4].to_owned(), AuthError::Signature),
        (format!("{token}{}", "A".repeat(8192)), AuthError::TooLong),
    ] {
        assert_eq!(keys.verify(&text, now()), Err(expected), "{text:.60}");
    }
}

#[test]
fn a_claim_that_stands_twice_is_refused() {
    let bench = Bench::new();
    let (keys, key) = (bench.all(), bench.ed("ed"));
    let text = body().to_string().replacen('{', r#"{"exp":9000000000,"#, 1);
    let head = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header(Algorithm::EdDSA, "ed")).unwrap());
    let message = format!("{head}.{}", URL_SAFE_NO_PAD.encode(text));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::EdDSA).unwrap();
    assert_eq!(keys.verify(&format!("{message}.{signature}"), now()), Err(AuthError::Claims));
}

#[test]
fn keys_that_cannot_be_used_stop_the_start() {
    let bench = Bench::new();
    fs::write(bench.path("short"), "0123456789012345678901234567890\n").unwrap();
    for (algorithm, material, expected) in [
        (AlgorithmSetting::Hs256, KeyMaterial::Secret(bench.path("short")), "has 31 bytes"),
        (AlgorithmSetting::EdDsa, KeyMaterial::Private(bench.path("absent")), "cannot be read"),
        (AlgorithmSetting::EdDsa, KeyMaterial::Private(bench.path("rsa")), "holds no Ed25519 private key"),
        (AlgorithmSetting::EdDsa, KeyMaterial::Public(bench.path("ed")), "holds no Ed25519 public key"),
        (AlgorithmSetting::Rs256, KeyMaterial::Private(bench.path("ed")), "holds no RSA private key"),
        (AlgorithmSetting::Rs256, KeyMaterial::Public(bench.path("secret")), "holds no RSA public key"),
    ] {
        let Err(error) = bench.keys(&[("main", algorithm, material)]) else { panic!("{expected}") };
        assert!(error.to_string().contains(expected), "{error}");
        assert!(error.to_string().contains("\"main\""), "{error}");
    }
}

#[test]
fn a_new_key_file_is_its_owners_and_is_never_overwritten() {
    let bench = Bench::new();
    let path = bench.path("ed");
    let before = fs::read_to_string(&path).unwrap();
    assert!(matches!(write_new(&path, &generate_ed25519().unwrap()), Err(GenerateError::Exists(_))));
    assert_eq!(fs::read_to_string(&path).unwrap(), before);
    assert!(matches!(
        write_new(&path.join("key.pem"), &generate_ed25519().unwrap()),
        Err(GenerateError::Write { .. })
    ));
    let (one, two) = (generate_ed25519().unwrap(), generate_ed25519().unwrap());
    assert_ne!(one.expose_secret(), two.expose_secret());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_token_that_was_good_is_judged_by_the_clock_each_time() {
    let bench = Bench::new();
    let material = KeyMaterial::Private(bench.path("ed"));
    let keys = bench.keys(&[("main", AlgorithmSetting::EdDsa, material)]).unwrap();
    let token = keys.issue(&claims()).unwrap();
    assert_eq!(keys.verify(&token, now()), Ok(claims()));
    assert_eq!(keys.verify(&token, now()), Ok(claims()), "the second time from memory");
    let (head, signature) = token.rsplit_once('.').unwrap();
    let forged = format!("{head}.{}", signature.chars().rev().collect::<String>());
    assert!(keys.verify(&forged, now()).is_err(), "another signature is another token");
    let later = claims().expires_at + TimeDelta::minutes(1);
    assert_eq!(keys.verify(&token, later), Err(AuthError::Expired));
}
