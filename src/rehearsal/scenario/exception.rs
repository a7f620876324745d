//! The exceptions of the Bedrock runtime (API reference of `Converse`, `ConverseStream` and `InvokeModel`, 2026).

use serde::Deserialize;

/// An exception, by the name it has as a frame of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum ModelException {
    /// 500, or a frame.
    #[serde(rename = "internalServerException")]
    InternalServer,
    /// 424, or a frame.
    #[serde(rename = "modelStreamErrorException")]
    ModelStreamError,
    /// 429, or a frame.
    #[serde(rename = "throttlingException")]
    Throttling,
    /// 400, or a frame.
    #[serde(rename = "validationException")]
    Validation,
    /// 503, or a frame.
    #[serde(rename = "serviceUnavailableException")]
    ServiceUnavailable,
    /// 408, before the first frame.
    #[serde(rename = "modelTimeoutException")]
    ModelTimeout,
    /// 424, before the first frame.
    #[serde(rename = "modelErrorException")]
    ModelError,
    /// 429, before the first frame.
    #[serde(rename = "modelNotReadyException")]
    ModelNotReady,
    /// 403, before the first frame.
    #[serde(rename = "accessDeniedException")]
    AccessDenied,
    /// 404, before the first frame.
    #[serde(rename = "resourceNotFoundException")]
    ResourceNotFound,
}

const UNEXPECTED: &str = "The system encountered an unexpected error during processing. Try your request again.";

/// What is known of an exception: its name as a frame, where it is one, its shape, its HTTP status and the words of the
/// service.
struct Row(Option<&'static str>, &'static str, u16, &'static str);

impl ModelException {
    /// Every exception.
    pub const ALL: [Self; 10] = [
        Self::InternalServer,
        Self::ModelStreamError,
        Self::Throttling,
        Self::Validation,
        Self::ServiceUnavailable,
        Self::ModelTimeout,
        Self::ModelError,
        Self::ModelNotReady,
        Self::AccessDenied,
        Self::ResourceNotFound,
    ];

    fn row(self) -> Row {
        match self {
            Self::InternalServer => Row(Some("internalServerException"), "InternalServerException", 500, UNEXPECTED),
            Self::ModelStreamError => Row(
                Some("modelStreamErrorException"),
                "ModelStreamErrorException",
                424,
                "The model encountered an error while streaming the response. Try your request again.",
            ),
            Self::Throttling => Row(
                Some("throttlingException"),
                "ThrottlingException",
                429,
                "Too many tokens, please wait before trying again.",
            ),
            Self::Validation => Row(
                Some("validationException"),
                "ValidationException",
                400,
                "The input fails to satisfy the constraints of the service.",
            ),
            Self::ServiceUnavailable => Row(
                Some("serviceUnavailableException"),
                "ServiceUnavailableException",
                503,
                "Bedrock is unable to process your request.",
            ),
            Self::ModelTimeout => Row(
                None,
                "ModelTimeoutException",
                408,
                "Model has timed out in processing the request. Try your request again.",
            ),
            Self::ModelError => Row(None, "ModelErrorException", 424, UNEXPECTED),
            Self::ModelNotReady => {
                Row(None, "ModelNotReadyException", 429, "Model is not ready for inference. Wait and try again.")
            }
            Self::AccessDenied => Row(
                None,
                "AccessDeniedException",
                403,
                "You don't have access to the model with the specified model ID.",
            ),
            Self::ResourceNotFound => Row(
                None,
                "ResourceNotFoundException",
                404,
                "Could not resolve the foundation model from the model identifier.",
            ),
        }
    }

    /// The exception that a frame of this name carries.
    pub fn of_frame(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|exception| exception.frame() == Some(name))
    }

    /// Its name as a frame; `None` for what can only come before the first one.
    pub fn frame(self) -> Option<&'static str> {
        self.row().0
    }

    /// The name of its shape.
    pub fn shape(self) -> &'static str {
        self.row().1
    }

    /// Its HTTP status.
    pub fn status(self) -> u16 {
        self.row().2
    }

    /// What the service says with it.
    pub fn words(self) -> &'static str {
        self.row().3
    }
}
