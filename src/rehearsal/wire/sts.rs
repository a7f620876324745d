//! STS: `GetCallerIdentity` in the awsQuery protocol, a form in and XML out.

use axum::body::Body;
use axum::response::Response;

use super::aws::{Call, Refusal, typed};
use crate::rehearsal::server::Cloud;

/// Answers an operation.
pub fn answer(cloud: &Cloud, call: &Call) -> Result<Response, Refusal> {
    if call.operation != "GetCallerIdentity" {
        return Err(Refusal::invalid("InvalidAction", format!("Could not find operation {}", call.operation)));
    }
    let scope = &cloud.scenario.scope;
    let session = scope.identity.rsplit('/').next().unwrap_or("rehearsal");
    Ok(typed(
        Body::from(format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
             <Arn>{}</Arn><UserId>AROASIMULATEDREHEARSE:{}</UserId><Account>{}</Account></GetCallerIdentityResult>\
             <ResponseMetadata><RequestId>rehearsal</RequestId></ResponseMetadata></GetCallerIdentityResponse>",
            escaped(&scope.identity),
            escaped(session),
            escaped(scope.account.as_str()),
        )),
        "text/xml",
    ))
}

/// The body of a refusal.
pub fn refused(refusal: &Refusal) -> Response {
    typed(
        Body::from(format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>{}</Code>\
             <Message>{}</Message></Error><RequestId>rehearsal</RequestId></ErrorResponse>",
            escaped(&refusal.query_code),
            escaped(&refusal.message),
        )),
        "text/xml",
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
