//! One classification of everything that can go wrong at the table.

use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata, SdkError};

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a call to the table failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A condition failed: somebody else was faster, or it was there already.
    #[error("another writer was faster")]
    Conflict,
    /// Too fast for the table; it may be tried again.
    #[error("the table throttles")]
    Throttled(#[source] Source),
    /// The table can't be reached, or failed on its side; it may be tried again.
    #[error("the table can't be reached")]
    Unavailable(#[source] Source),
    /// The item would pass DynamoDB's 400 KB; trying again is no use.
    #[error("an item would become too large")]
    TooLarge(#[source] Source),
    /// The table refused the call; trying again is no use.
    #[error("the table refused a call")]
    Refused(#[source] Source),
    /// An item doesn't read as what its key says.
    #[error("an item can't be read or written")]
    Corrupt(#[source] Source),
    /// A pack can't be written or read.
    #[error("a packed item can't be read or written")]
    Pack(#[source] std::io::Error),
}

impl StoreError {
    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Throttled(_) | Self::Unavailable(_))
    }

    /// Whether the fault lies in an item, so that others can go on.
    pub fn is_of_the_item(&self) -> bool {
        matches!(self, Self::Corrupt(_) | Self::TooLarge(_) | Self::Pack(_))
    }
}

impl<E, R> From<SdkError<E, R>> for StoreError
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    fn from(error: SdkError<E, R>) -> Self {
        let service = matches!(error, SdkError::ServiceError(_));
        match error.code() {
            Some("ConditionalCheckFailedException" | "TransactionConflictException") => Self::Conflict,
            Some("TransactionCanceledException") => cancelled(error),
            Some(
                "ProvisionedThroughputExceededException"
                | "ThrottlingException"
                | "RequestLimitExceeded"
                | "TransactionInProgressException",
            ) => Self::Throttled(error.into()),
            Some("InternalServerError" | "ServiceUnavailable") => Self::Unavailable(error.into()),
            Some("ValidationException") if error.message().is_some_and(|text| text.contains("Item size")) => {
                Self::TooLarge(error.into())
            }
            Some(_) if service => Self::Refused(error.into()),
            _ => Self::Unavailable(error.into()),
        }
    }
}

/// Why each part of a cancelled transaction failed, in the order of its parts: `ConditionalCheckFailed`,
/// `TransactionConflict`, …, or `None`. Nothing for any other error.
pub(super) fn reasons<E, R>(error: &SdkError<E, R>) -> Option<Vec<String>>
where
    E: ProvideErrorMetadata,
{
    if error.code() != Some("TransactionCanceledException") {
        return None;
    }
    let (_, listed) = error.message()?.rsplit_once('[')?;
    let listed = listed.trim_end_matches(|end: char| end == ']' || end.is_whitespace() || end == '.');
    Some(listed.split(',').map(|reason| reason.trim().to_owned()).collect())
}

/// A cancelled transaction says why per item, in its message: `[ConditionalCheckFailed, None]`.
fn cancelled<E, R>(error: SdkError<E, R>) -> StoreError
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let reasons = error.message().unwrap_or_default();
    if reasons.contains("ConditionalCheckFailed") || reasons.contains("TransactionConflict") {
        StoreError::Conflict
    } else if reasons.contains("Throttling") || reasons.contains("ThroughputExceeded") {
        StoreError::Throttled(error.into())
    } else {
        StoreError::Refused(error.into())
    }
}

impl From<BuildError> for StoreError {
    fn from(error: BuildError) -> Self {
        Self::Corrupt(error.into())
    }
}

impl From<serde_dynamo::Error> for StoreError {
    fn from(error: serde_dynamo::Error) -> Self {
        Self::Corrupt(error.into())
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Corrupt(error.into())
    }
}
