//! The clock of AWS, by the `Date` of each answer. Nothing is asked for it: whatever is asked tells it.
//!
//! The SDK measures the same for its signatures and goes on with what it found, so that calls succeed however far off the
//! clock of this machine is, and only what is asked for is wrong.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use aws_smithy_types::date_time::Format;
use jiff::SignedDuration;

use crate::domain::observation::skew::ClockSkew;

/// A call that took longer says too little: the answer was dated somewhere on its way.
const LONGEST_CALL: Duration = Duration::from_secs(10);
/// Two measures that are as near agree.
const AGREEMENT: SignedDuration = SignedDuration::from_secs(12);

/// What the answers say of the clock. Cheap to clone; all clones are one.
#[derive(Clone, Debug, Default)]
pub struct AwsClock(Arc<Mutex<Measured>>);

#[derive(Debug, Default)]
struct Measured {
    last: Option<SignedDuration>,
    skew: ClockSkew,
}

impl AwsClock {
    /// How far the clock of this machine is off; `None` before the first answer.
    pub fn skew(&self) -> Option<ClockSkew> {
        let measured = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        measured.last.map(|_| measured.skew)
    }

    /// Takes a measure. After the first one it takes two that agree to move it: an answer that something in between dated
    /// is alone.
    fn note(&self, ahead: SignedDuration) {
        let mut measured = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let agrees = measured.last.is_none_or(|last| (ahead - last).abs() < AGREEMENT);
        measured.last = Some(ahead);
        if agrees {
            measured.skew = measured.skew.remeasured(ahead);
        }
    }

    /// What makes the answers of a client tell.
    pub(super) fn listener(&self) -> Listener {
        Listener(self.clone())
    }
}

/// How far the clock of this machine was ahead when a call was dated: in the middle of its way, and in the middle of the second
/// that the answer names.
fn ahead((sent, received): (SystemTime, SystemTime), dated: SystemTime) -> Option<SignedDuration> {
    let took = received.duration_since(sent).ok().filter(|took| *took <= LONGEST_CALL)?;
    let (here, there) = (sent + took / 2, dated + Duration::from_millis(500));
    match here.duration_since(there) {
        Ok(ahead) => SignedDuration::try_from(ahead).ok(),
        Err(behind) => SignedDuration::try_from(behind.duration()).ok().map(|behind| -behind),
    }
}

/// When a call was sent, by the clock of this machine.
#[derive(Clone, Copy, Debug)]
struct Sent(SystemTime);

impl Storable for Sent {
    type Storer = StoreReplace<Self>;
}

/// Reads the date of each answer.
#[derive(Debug)]
pub(super) struct Listener(AwsClock);

#[dyn_dispatch_hint]
impl Intercept for Listener {
    fn name(&self) -> &'static str {
        "AwsClock"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        components: &RuntimeComponents,
        settings: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(clock) = components.time_source() {
            settings.interceptor_state().store_put(Sent(clock.now()));
        }
        Ok(())
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        components: &RuntimeComponents,
        settings: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let headers = context.response().headers();
        // What a cache has kept was dated when it was new (RFC 9111, section 5.1).
        let date = headers.get("date").filter(|_| headers.get("age").is_none());
        let dated = date.and_then(|date| SystemTime::try_from(DateTime::from_str(date, Format::HttpDate).ok()?).ok());
        let received = components.time_source().map(|clock| clock.now());
        if let (Some(dated), Some(received), Some(Sent(sent))) = (dated, received, settings.load::<Sent>())
            && let Some(ahead) = ahead((*sent, received), dated)
        {
            self.0.note(ahead);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(1_777_627_800_000 + millis)
    }

    #[test]
    fn an_answer_is_dated_in_the_middle_of_its_way_and_of_its_second() {
        assert_eq!(ahead((at(400), at(600)), at(0)), Some(SignedDuration::ZERO));
        assert_eq!(ahead((at(180_400), at(180_600)), at(0)), Some(SignedDuration::from_secs(180)));
        assert_eq!(ahead((at(400), at(600)), at(180_000)), Some(SignedDuration::from_secs(-180)));
        assert_eq!(ahead((at(0), at(10_001)), at(300_000)), None, "it took too long to say");
        assert_eq!(ahead((at(900), at(100)), at(300_000)), None, "the clock was set meanwhile");
    }

    #[test]
    fn one_answer_that_was_dated_by_something_else_moves_nothing() {
        let (clock, seconds) = (AwsClock::default(), SignedDuration::from_secs);
        assert_eq!(clock.skew(), None, "nobody has answered");
        clock.note(seconds(0));
        clock.note(seconds(900));
        clock.note(seconds(1));
        assert_eq!(clock.skew(), Some(ClockSkew::NONE));
        clock.note(seconds(240));
        clock.note(seconds(241));
        assert_eq!(clock.skew().map(ClockSkew::apart), Some(seconds(240)));
        let first = AwsClock::default();
        first.note(seconds(-60));
        assert_eq!(first.skew().map(ClockSkew::apart), Some(seconds(60)), "the first is all there is");
    }
}
