//! The content of files and of the message archive: a folder (`file:///dir`) or a bucket (`s3://bucket/prefix`), sealed
//! when there is a key.
//!
//! Content is stored under its identifier before the row that names it is committed, so a row never lacks its content;
//! content without a row is swept by the retention job.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::future::ready;
use futures_util::stream::{BoxStream, StreamExt};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ClientConfigKey, ObjectStore, ObjectStoreExt, RetryConfig};

use crate::error::{Error, Result};
use crate::ids::ContentId;
use crate::sealing::{self, SealingKeys};

/// The content of files; clones share one client.
#[derive(Debug, Clone)]
pub struct FileStore {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    keys: Option<Arc<SealingKeys>>,
}

/// Why a file store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Not a URL of a kind that is known here.
    #[error("the file store {url:?} is unknown; give file:///folder, file://./folder or s3://bucket/prefix")]
    Url {
        /// What was given.
        url: String,
    },
    /// The folder cannot be made.
    #[error("the folder {folder:?} of the file store cannot be made")]
    Folder {
        /// The folder.
        folder: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The folder or bucket cannot be used.
    #[error(
        "the file store cannot be used; for s3 the variables AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT are read"
    )]
    Store(#[from] object_store::Error),
}

/// A client of ours waits at most 25 s for its answer.
const PATIENCE: Duration = Duration::from_secs(10);

impl FileStore {
    /// Opens a file store by its URL; a folder is created. Buckets read the usual `AWS_*` variables.
    ///
    /// # Errors
    /// [`OpenError`]. Whether a bucket answers is not found out here.
    pub fn open(url: &str) -> std::result::Result<Self, OpenError> {
        if let Some(folder) = url.strip_prefix("file://").filter(|folder| is_folder(folder)) {
            return Self::folder(folder);
        }
        match url.strip_prefix("s3://").map(|rest| rest.split_once('/').unwrap_or((rest, ""))) {
            Some((bucket, prefix)) if !bucket.is_empty() => Self::bucket(bucket, prefix),
            Some(_) | None => Err(OpenError::Url { url: url.to_owned() }),
        }
    }

    fn folder(folder: &str) -> std::result::Result<Self, OpenError> {
        std::fs::create_dir_all(folder)
            .map_err(|source| OpenError::Folder { folder: folder.to_owned(), source })?;
        // After the 202 nothing may be lost, not even by a power cut.
        let store = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
        Ok(Self { store: Arc::new(store), prefix: Path::default(), keys: None })
    }

    fn bucket(bucket: &str, prefix: &str) -> std::result::Result<Self, OpenError> {
        let retry = RetryConfig { max_retries: 3, retry_timeout: PATIENCE, ..RetryConfig::default() };
        let timeout = AmazonS3ConfigKey::Client(ClientConfigKey::Timeout);
        let store = AmazonS3Builder::from_env()
            .with_bucket_name(bucket)
            .with_config(timeout, format!("{} seconds", PATIENCE.as_secs()))
            .with_retry(retry)
            .build()?;
        Ok(Self { store: Arc::new(store), prefix: Path::from(prefix), keys: None })
    }

    /// The same store; from now on what is put is sealed.
    #[must_use]
    pub fn sealed_with(self, keys: SealingKeys) -> Self {
        Self { keys: Some(Arc::new(keys)), ..self }
    }

    /// Stores a content.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn put(&self, id: impl Into<ContentId>, content: Bytes) -> Result<()> {
        let id = id.into();
        let content = match &self.keys {
            Some(keys) => keys.seal(&id.to_string(), &content).map_err(Error::internal)?,
            None => content,
        };
        self.store.put(&self.path(id), content.into()).await.map_err(unavailable)?;
        Ok(())
    }

    /// A content.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; [`Error::Internal`] when it is missing, because a row never lacks its content, or does not
    /// open.
    pub async fn get(&self, id: impl Into<ContentId>) -> Result<Bytes> {
        let id = id.into();
        let content = match self.store.get(&self.path(id)).await {
            Ok(found) => found.bytes().await.map_err(unavailable)?,
            Err(error @ object_store::Error::NotFound { .. }) => return Err(Error::internal(error)),
            Err(error) => return Err(unavailable(error)),
        };
        sealing::open(self.keys.as_deref(), &id.to_string(), content).map_err(Error::internal)
    }

    /// Deletes a content, if there is any.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn delete(&self, id: impl Into<ContentId>) -> Result<()> {
        match self.store.delete(&self.path(id.into())).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// What was stored before a time, in no order; for the sweep of content without a row. What is not named like content
    /// of ours is passed over.
    pub fn list_older_than(&self, time: DateTime<Utc>) -> BoxStream<'static, Result<ContentId>> {
        let old = move |found: object_store::Result<object_store::ObjectMeta>| match found {
            Ok(meta) if meta.last_modified < time => {
                meta.location.filename().and_then(|name| name.parse().ok()).map(Ok)
            }
            Ok(_) => None,
            Err(error) => Some(Err(unavailable(error))),
        };
        self.store.list(Some(&self.prefix)).filter_map(move |found| ready(old(found))).boxed()
    }

    fn path(&self, id: ContentId) -> Path {
        self.prefix.clone().join(id.to_string())
    }
}

/// `/dir` or `./dir`: a bare `dir` would read as the host of the URL.
fn is_folder(path: &str) -> bool {
    path.len() > 1 && (path.starts_with('/') || path.starts_with("./"))
}

fn unavailable(error: object_store::Error) -> Error {
    Error::Unavailable(Box::new(error))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use futures_util::TryStreamExt;
    use tempfile::TempDir;

    use super::*;
    use crate::ids::AttachmentId;

    #[tokio::test]
    async fn what_is_put_is_there_until_it_is_deleted() {
        let parent = TempDir::new().unwrap();
        let url = format!("file://{}", parent.path().join("made/now").display());
        let files = FileStore::open(&url).unwrap();
        let (kept, gone) = (AttachmentId::generate(), AttachmentId::generate());
        files.put(kept, Bytes::from_static(b"one")).await.unwrap();
        files.put(gone, Bytes::from_static(b"two")).await.unwrap();
        files.delete(gone).await.unwrap();
        files.delete(gone).await.unwrap();

        let again = FileStore::open(&url).unwrap();
        assert_eq!(again.get(kept).await.unwrap(), "one");
        assert!(matches!(again.get(gone).await, Err(Error::Internal(_))));
    }

    #[tokio::test]
    async fn with_a_key_nothing_readable_lies_on_the_disk() {
        let folder = TempDir::new().unwrap();
        let plain = FileStore::open(&format!("file://{}", folder.path().display())).unwrap();
        let keys = SealingKeys::parse(&"5a".repeat(32)).unwrap();
        let sealed = plain.clone().sealed_with(keys);
        let (old, new) = (ContentId::generate(), ContentId::generate());
        plain.put(old, Bytes::from_static(b"an old letter")).await.unwrap();
        sealed.put(new, Bytes::from_static(b"a new letter")).await.unwrap();
        let on_disk = std::fs::read(folder.path().join(new.to_string())).unwrap();
        assert!(!on_disk.windows(6).any(|bytes| bytes == b"letter"));
        assert_eq!(sealed.get(new).await.unwrap(), "a new letter");
        assert_eq!(sealed.get(old).await.unwrap(), "an old letter", "from before there was a key");
        assert!(matches!(plain.get(new).await, Err(Error::Internal(_))));
        // Put in the place of another, it does not open.
        std::fs::write(folder.path().join(old.to_string()), on_disk).unwrap();
        assert!(matches!(sealed.get(old).await, Err(Error::Internal(_))));
    }

    #[tokio::test]
    async fn the_sweep_sees_old_files_of_ours_alone() {
        let folder = TempDir::new().unwrap();
        let files = FileStore::open(&format!("file://{}", folder.path().display())).unwrap();
        let id = AttachmentId::generate();
        files.put(id, Bytes::from_static(b"one")).await.unwrap();
        std::fs::write(folder.path().join("lost+found"), "x").unwrap();

        let listed = async |time| files.list_older_than(time).try_collect::<Vec<_>>().await.unwrap();
        let now = Utc::now();
        assert_eq!(listed(now + TimeDelta::minutes(1)).await, [ContentId::from(id)]);
        assert!(listed(now - TimeDelta::minutes(1)).await.is_empty());
    }

    #[test]
    fn urls_of_buckets_and_folders_are_told_from_others() {
        let files = FileStore::open("s3://bucket/some/prefix").unwrap();
        let id = ContentId::generate();
        assert_eq!(files.path(id).to_string(), format!("some/prefix/{id}"));
        assert_eq!(FileStore::open("s3://bucket").unwrap().path(id).to_string(), id.to_string());
        for url in ["", "file://", "file:///", "file://dir", "dir", "s3://", "s3:///prefix", "http://host/x"]
        {
            assert!(matches!(FileStore::open(url), Err(OpenError::Url { .. })), "{url}");
        }
    }
}
