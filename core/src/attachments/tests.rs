use chrono::TimeDelta;

use super::*;
use crate::store::samples;
use crate::store::test_db::for_both;
use crate::test_service::{Bench, caller, only};

fn file(name: &str) -> NewFile {
    NewFile {
        file_name: name.to_owned(),
        description: None,
        content: Bytes::from_static(b"%PDF-1.7"),
        sha256: None,
    }
}

async fn upload(bench: &Bench, file: NewFile) -> Result<Attachment> {
    let mut tx = bench.service.db.begin().await.unwrap();
    let attachment = bench.service.upload_attachment(&mut tx, &bench.caller, file).await?;
    tx.commit().await.unwrap();
    Ok(attachment)
}

#[test]
fn a_file_comes_back_as_it_came() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let attachment = upload(&bench, file("акт.pdf")).await.unwrap();
        assert_eq!(attachment.media_type, "application/pdf");
        assert_eq!(attachment.expires_at, Some(bench.service.clock.now() + TimeDelta::days(7)));
        let (found, content) = bench.service.attachment_content(&bench.caller, attachment.id).await.unwrap();
        assert_eq!((found, content.as_ref()), (attachment, b"%PDF-1.7".as_slice()));
    });
}

#[test]
fn the_same_file_is_kept_once_and_lives_on() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let first = upload(&bench, file("акт.pdf")).await.unwrap();
        bench.service.clock.advance(TimeDelta::days(6));
        let second = upload(&bench, file("акт.pdf")).await.unwrap();
        assert_eq!(second.id, first.id);
        assert_eq!(second.expires_at, Some(bench.service.clock.now() + TimeDelta::days(7)));
        assert_eq!(bench.service.get_attachment(&bench.caller, first.id).await.unwrap(), second);
        let renamed = upload(&bench, file("решение.pdf")).await.unwrap();
        assert_ne!(renamed.id, first.id, "GIS shows the name");
        bench.service.clock.advance(TimeDelta::days(8));
        assert_ne!(upload(&bench, file("акт.pdf")).await.unwrap().id, first.id, "its life is over");
        assert_eq!(bench.stored_files(), 3);
    });
}

#[test]
fn what_gis_does_not_take_is_refused_and_nothing_is_stored() {
    for_both(async |db| {
        let mut bench = Bench::new(db).await;
        bench.service.settings.limits.file_bytes = 8;
        let large = NewFile { content: Bytes::from_static(b"%PDF-1.7\n"), ..file("a.pdf") };
        for (file, code) in [
            (large, Code::FileTooLarge),
            (file("a.exe"), Code::FileTypeNotAllowed),
            (file("a.png"), Code::FileTypeNotAllowed),
        ] {
            let refused = upload(&bench, file).await.unwrap_err();
            assert!(matches!(refused, Error::Refused { code: found, .. } if found == code), "{refused}");
        }
        let broken = NewFile { sha256: Some("00".to_owned()), ..file("a.pdf") };
        assert!(matches!(upload(&bench, broken).await, Err(Error::Invalid(_))));
        assert_eq!(bench.stored_files(), 0);

        let mut tx = bench.service.db.begin().await.unwrap();
        let inline = bench.service.admit_file(&mut tx, &bench.caller, file("a.exe"), "/attachments/0").await;
        let mistakes = inline.unwrap().unwrap_err();
        let wanted = Mistake::at("/attachments/0/file_name", "file_type_not_allowed", "");
        assert!(mistakes.iter().all(|mistake| mistake.place == wanted.place && mistake.code == wanted.code));
        assert_eq!(mistakes.len(), 1);
    });
}

#[test]
fn a_gateway_that_takes_fewer_types_says_which() {
    for_both(async |db| {
        let mut bench = Bench::new(db).await;
        upload(&bench, file("акт.pdf")).await.unwrap();
        bench.service.settings.limits.file_types = FileTypes::named(&["png", "txt"]).unwrap();
        let refused = upload(&bench, file("акт.pdf")).await.unwrap_err();
        let told = matches!(
            &refused,
            Error::Refused { code: Code::FileTypeNotAllowed, detail } if detail == "можно прикладывать txt, png"
        );
        assert!(told, "{refused:?}");
    });
}

#[test]
fn a_file_is_deleted_by_who_may_and_never_seen_by_others() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let id = upload(&bench, file("акт.pdf")).await.unwrap().id;
        let delete = async |caller: &Caller| {
            let mut tx = bench.service.db.begin().await.unwrap();
            bench.service.delete_attachment(&mut tx, caller, id).await?;
            tx.commit().await.unwrap();
            Ok::<_, Error>(())
        };
        let mut tx = bench.service.db.begin().await.unwrap();
        let stranger = caller(samples::stored_organization(&mut tx).await);
        tx.commit().await.unwrap();
        assert!(matches!(bench.service.get_attachment(&stranger, id).await, Err(Error::NotFound)));
        assert!(matches!(delete(&stranger).await, Err(Error::NotFound)));
        let powerless = only(&bench.caller, Scope::AnswersRead);
        assert!(matches!(delete(&powerless).await, Err(Error::Refused { code: Code::ScopeMissing, .. })));
        delete(&bench.caller).await.unwrap();
        assert!(matches!(bench.service.get_attachment(&bench.caller, id).await, Err(Error::NotFound)));
        assert_eq!(bench.stored_files(), 1, "the sweep takes the content");
    });
}
