//! The errors of the file store, as its header `X-Upload-Error` names them, and of an upload.

use crate::error::{Error, Fate, RESEND_AFTER_FAULT, Repeat};
use crate::ids::AttachmentId;

/// The most characters of an unknown error that are kept.
const LONGEST_UNKNOWN: usize = 80;

/// Why an upload failed, and where it can go on.
#[derive(Debug, thiserror::Error)]
#[error("the file was not uploaded")]
pub struct UploadError {
    /// What happened.
    #[source]
    pub error: Error,
    /// The upload that broke off, or the file whose virus check is not over, for the next
    /// [`crate::Gis::upload_file`] of the same file. It is `None` when there is nothing to go on with; an upload that is
    /// begun anew instead does no harm.
    pub resume: Option<AttachmentId>,
}

impl UploadError {
    /// An upload that broke off. After a refusal, or an error that nobody knows, it could fail the same way
    /// for ever: then it begins anew.
    pub(super) fn broken_off(id: AttachmentId, error: Error) -> Self {
        let is_unknown = matches!(error, Error::File { error: FileError::Unknown(_), .. });
        let goes_on = !is_unknown && error.fate() != Fate::Refused;
        Self { error, resume: goes_on.then_some(id) }
    }
}

impl From<Error> for UploadError {
    fn from(error: Error) -> Self {
        Self { error, resume: None }
    }
}

/// An error of the file store.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
pub enum FileError {
    /// A header of the request is absent or wrong.
    #[error("a header of the request is absent or wrong (FieldValidationException)")]
    FieldValidation,
    /// There is no such file or upload.
    #[error("there is no such file or upload (FileNotFoundException)")]
    FileNotFound,
    /// The upload is not in the state for this step.
    #[error("the upload is not in the state for this step (InvalidStatusException)")]
    InvalidStatus,
    /// A length is not as announced, or the file is too long.
    #[error("the length is not as announced or too long (InvalidSizeException)")]
    InvalidSize,
    /// The bytes do not have the MD5 that was announced.
    #[error("the bytes arrived damaged (HashConflictException)")]
    HashConflict,
    /// The file store does not know the service's context.
    #[error("the file store does not know the context of the service (ContextNotFoundException)")]
    ContextNotFound,
    /// The number of a part is wrong.
    #[error("the number of a part is wrong (InvalidPartNumberException)")]
    InvalidPartNumber,
    /// Files with this extension are not taken.
    #[error("files with this extension are not taken (ExtensionException)")]
    Extension,
    /// The content is of no known type.
    #[error("the content is of no known type (DetectionException)")]
    Detection,
    /// The file has a virus.
    #[error("the file has a virus (FileVirusInfectionException)")]
    VirusInfection,
    /// The virus check of the file is not over.
    #[error("the virus check of the file is not over (FileVirusNotCheckedException)")]
    VirusNotChecked,
    /// The organisation has no right to the file.
    #[error("the organisation has no right to the file (FilePermissionException)")]
    FilePermission,
    /// The organisation is unknown or not served by this information system.
    #[error(
        "the organisation is unknown or not served by this information system (DataProviderValidationException)"
    )]
    DataProviderValidation,
    /// The client certificate of the tunnel is not accepted.
    #[error("the client certificate of the tunnel is not accepted (CertificateValidationException)")]
    CertificateValidation,
    /// GIS is closed for maintenance.
    #[error("GIS is closed for maintenance (INT002029)")]
    Maintenance,
    /// Every part was taken, but the file store does not call the upload complete.
    #[error("every part was sent, but the upload is not complete")]
    Incomplete,
    /// Another error, as the header names it.
    #[error("an error of an unknown kind: {0}")]
    Unknown(String),
}

impl FileError {
    /// Reads the value of `X-Upload-Error`; the word "Exception" may be absent.
    #[must_use]
    pub fn parse(header: &str) -> Self {
        let name = header.trim();
        match name.strip_suffix("Exception").unwrap_or(name) {
            "FieldValidation" => Self::FieldValidation,
            "FileNotFound" => Self::FileNotFound,
            "InvalidStatus" => Self::InvalidStatus,
            "InvalidSize" => Self::InvalidSize,
            "HashConflict" => Self::HashConflict,
            "ContextNotFound" => Self::ContextNotFound,
            "InvalidPartNumber" => Self::InvalidPartNumber,
            "Extension" => Self::Extension,
            "Detection" => Self::Detection,
            "FileVirusInfection" => Self::VirusInfection,
            "FileVirusNotChecked" => Self::VirusNotChecked,
            "FilePermission" => Self::FilePermission,
            "DataProviderValidation" => Self::DataProviderValidation,
            "CertificateValidation" => Self::CertificateValidation,
            "INT002029" => Self::Maintenance,
            _ => Self::Unknown(
                name.chars().filter(|character| !character.is_control()).take(LONGEST_UNKNOWN).collect(),
            ),
        }
    }

    /// What became of the file: after a refusal the file store holds nothing that could be used.
    #[must_use]
    pub fn fate(&self) -> Fate {
        match self {
            Self::FieldValidation
            | Self::FileNotFound
            | Self::InvalidStatus
            | Self::InvalidSize
            | Self::HashConflict
            | Self::ContextNotFound
            | Self::InvalidPartNumber
            | Self::Extension
            | Self::Detection
            | Self::VirusInfection
            | Self::FilePermission
            | Self::DataProviderValidation
            | Self::CertificateValidation => Fate::Refused,
            Self::VirusNotChecked | Self::Maintenance | Self::Incomplete | Self::Unknown(_) => Fate::Unknown,
        }
    }

    /// Whether a repeat can help. To upload a file again does no harm: a file that no answer names is not seen.
    #[must_use]
    pub fn repeat(&self) -> Repeat {
        match self {
            // The file itself is at fault.
            Self::InvalidSize | Self::Extension | Self::Detection | Self::VirusInfection => Repeat::Never,
            // The set-up is at fault, whatever the file.
            Self::FieldValidation
            | Self::ContextNotFound
            | Self::FilePermission
            | Self::DataProviderValidation
            | Self::CertificateValidation => Repeat::AfterRepair,
            // The upload went astray: begin it anew.
            Self::FileNotFound
            | Self::InvalidStatus
            | Self::HashConflict
            | Self::InvalidPartNumber
            | Self::VirusNotChecked
            | Self::Incomplete
            | Self::Unknown(_) => Repeat::Later { after: None },
            Self::Maintenance => Repeat::Later { after: Some(RESEND_AFTER_FAULT) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_error_is_recognised_and_judged() {
        let later = Repeat::Later { after: None };
        let table = [
            ("FieldValidationException", FileError::FieldValidation, Repeat::AfterRepair),
            ("FileNotFoundException", FileError::FileNotFound, later),
            ("InvalidStatusException", FileError::InvalidStatus, later),
            ("InvalidSizeException", FileError::InvalidSize, Repeat::Never),
            ("HashConflictException", FileError::HashConflict, later),
            ("ContextNotFoundException", FileError::ContextNotFound, Repeat::AfterRepair),
            ("InvalidPartNumberException", FileError::InvalidPartNumber, later),
            ("ExtensionException", FileError::Extension, Repeat::Never),
            ("DetectionException", FileError::Detection, Repeat::Never),
            ("FileVirusInfectionException", FileError::VirusInfection, Repeat::Never),
            ("FileVirusNotCheckedException", FileError::VirusNotChecked, later),
            ("FilePermissionException", FileError::FilePermission, Repeat::AfterRepair),
            ("DataProviderValidationException", FileError::DataProviderValidation, Repeat::AfterRepair),
            ("CertificateValidationException", FileError::CertificateValidation, Repeat::AfterRepair),
            ("INT002029", FileError::Maintenance, Repeat::Later { after: Some(RESEND_AFTER_FAULT) }),
            ("NewException", FileError::Unknown("NewException".to_owned()), later),
        ];
        for (header, error, repeat) in table {
            assert_eq!(FileError::parse(header), error);
            assert_eq!(error.repeat(), repeat, "{header}");
        }
        assert_eq!(FileError::parse(" FileVirusNotChecked "), FileError::VirusNotChecked);
    }

    #[test]
    fn a_pending_virus_check_and_an_unknown_error_prove_nothing() {
        assert_eq!(FileError::parse("FileVirusNotCheckedException").fate(), Fate::Unknown);
        assert_eq!(FileError::parse("SomethingElse").fate(), Fate::Unknown);
        assert_eq!(FileError::parse("FileVirusInfectionException").fate(), Fate::Refused);
    }

    #[test]
    fn an_unknown_error_is_kept_short() {
        let FileError::Unknown(text) = FileError::parse(&"x\u{1}".repeat(500)) else { panic!() };
        assert_eq!(text, "x".repeat(80));
    }
}
