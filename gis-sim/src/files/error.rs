//! Why the file store refuses, in the words of `X-Upload-Error`.

use serde::{Deserialize, Serialize};

/// The values of `X-Upload-Error` (Q34).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FileError {
    /// A header is absent or has a wrong value.
    FieldValidationException,
    /// No such file.
    FileNotFoundException,
    /// The upload is closed already, or parts are missing.
    InvalidStatusException,
    /// Empty, too large, or another size than announced.
    InvalidSizeException,
    /// `Content-MD5` differs.
    HashConflictException,
    /// The address names no known context.
    ContextNotFoundException,
    /// The part number is out of bounds.
    InvalidPartNumberException,
    /// The extension of the name is not allowed.
    ExtensionException,
    /// The type of the content was not recognised.
    DetectionException,
    /// A virus was found.
    FileVirusInfectionException,
    /// The virus check is not over: try again.
    FileVirusNotCheckedException,
    /// The file is another organisation's, or no answer names it.
    FilePermissionException,
    /// The organisation is absent or unknown.
    DataProviderValidationException,
    /// The client's certificate is not accepted.
    CertificateValidationException,
    /// Maintenance.
    #[serde(rename = "INT002029")]
    Maintenance,
}

impl FileError {
    /// Every value.
    pub const ALL: [Self; 15] = [
        Self::FieldValidationException,
        Self::FileNotFoundException,
        Self::InvalidStatusException,
        Self::InvalidSizeException,
        Self::HashConflictException,
        Self::ContextNotFoundException,
        Self::InvalidPartNumberException,
        Self::ExtensionException,
        Self::DetectionException,
        Self::FileVirusInfectionException,
        Self::FileVirusNotCheckedException,
        Self::FilePermissionException,
        Self::DataProviderValidationException,
        Self::CertificateValidationException,
        Self::Maintenance,
    ];

    /// The header's text.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::FieldValidationException => "FieldValidationException",
            Self::FileNotFoundException => "FileNotFoundException",
            Self::InvalidStatusException => "InvalidStatusException",
            Self::InvalidSizeException => "InvalidSizeException",
            Self::HashConflictException => "HashConflictException",
            Self::ContextNotFoundException => "ContextNotFoundException",
            Self::InvalidPartNumberException => "InvalidPartNumberException",
            Self::ExtensionException => "ExtensionException",
            Self::DetectionException => "DetectionException",
            Self::FileVirusInfectionException => "FileVirusInfectionException",
            Self::FileVirusNotCheckedException => "FileVirusNotCheckedException",
            Self::FilePermissionException => "FilePermissionException",
            Self::DataProviderValidationException => "DataProviderValidationException",
            Self::CertificateValidationException => "CertificateValidationException",
            Self::Maintenance => "INT002029",
        }
    }

    /// The HTTP status that goes with it: known to differ from 200, the rest is this simulator's choice.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::FieldValidationException
            | Self::InvalidSizeException
            | Self::HashConflictException
            | Self::InvalidPartNumberException
            | Self::ExtensionException
            | Self::DetectionException
            | Self::FileVirusInfectionException => 400,
            Self::FilePermissionException
            | Self::DataProviderValidationException
            | Self::CertificateValidationException => 403,
            Self::FileNotFoundException | Self::ContextNotFoundException => 404,
            Self::InvalidStatusException | Self::FileVirusNotCheckedException => 409,
            Self::Maintenance => 503,
        }
    }
}

/// Why a call of the file store failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The store says why.
    #[error("the file store refuses: {}", .0.name())]
    Refused(FileError),
    /// The simulator's memory is spent.
    #[error("the file store holds 512 MiB or 20000 files already: POST /control/reset to begin anew")]
    Full,
}

impl From<FileError> for StoreError {
    fn from(error: FileError) -> Self {
        Self::Refused(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_rules_are_those_of_the_header() {
        for error in FileError::ALL {
            assert_eq!(serde_json::to_value(error).unwrap(), error.name());
            assert!(error.status() >= 400);
        }
    }
}
