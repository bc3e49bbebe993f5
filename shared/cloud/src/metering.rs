//! What calls to the table cost: asks DynamoDB for the units of each call, and counts them and the calls that were made again.
//! Only within an [invocation](crate::invocation); elsewhere the calls stay as they are.

use aws_sdk_dynamodb::{
    operation::{
        delete_item::{DeleteItemInput, DeleteItemOutput},
        get_item::{GetItemInput, GetItemOutput},
        put_item::{PutItemInput, PutItemOutput},
        query::{QueryInput, QueryOutput},
        transact_write_items::{TransactWriteItemsInput, TransactWriteItemsOutput},
        update_item::{UpdateItemInput, UpdateItemOutput},
    },
    types::ReturnConsumedCapacity,
};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{
            Intercept,
            context::{
                BeforeSerializationInterceptorContextMut, BeforeTransmitInterceptorContextRef,
                FinalizerInterceptorContextRef,
            },
            dyn_dispatch_hint,
        },
        retries::RequestAttempts,
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::ConfigBag;

use crate::{
    invocation,
    metrics::{Metric, count, count_units},
};

/// Counts the units of the table's calls. A conditional write that failed tells of none.
#[derive(Debug)]
pub struct Units;

/// Asks for the units, whichever of the operations it is.
macro_rules! ask {
    ($input:expr, $($kind:ty),+) => {
        $(if let Some(input) = $input.downcast_mut::<$kind>() {
            input.return_consumed_capacity = Some(ReturnConsumedCapacity::Total);
        })+
    };
}

/// Counts the units of whichever output it is: all reads, or all writes.
macro_rules! take {
    ($output:expr, $metric:expr, $($kind:ty),+) => {
        $(if let Some(output) = $output.downcast_ref::<$kind>() {
            for consumed in output.consumed_capacity.iter() {
                count_units($metric, consumed.capacity_units.unwrap_or_default());
            }
        })+
    };
}

#[dyn_dispatch_hint]
impl Intercept for Units {
    fn name(&self) -> &'static str {
        "BarometerUnits"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if invocation::current().is_some() {
            let input = context.input_mut();
            ask!(input, GetItemInput, QueryInput, PutItemInput, UpdateItemInput, DeleteItemInput);
            ask!(input, TransactWriteItemsInput);
        }
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(Ok(output)) = context.output_or_error() {
            take!(output, Metric::ReadUnits, GetItemOutput, QueryOutput);
            take!(output, Metric::WriteUnits, PutItemOutput, UpdateItemOutput, DeleteItemOutput);
            if let Some(output) = output.downcast_ref::<TransactWriteItemsOutput>() {
                for consumed in output.consumed_capacity() {
                    count_units(Metric::WriteUnits, consumed.capacity_units.unwrap_or_default());
                }
            }
        }
        Ok(())
    }
}

/// Counts the calls of a client that were made again.
#[derive(Debug)]
pub struct Retries;

#[dyn_dispatch_hint]
impl Intercept for Retries {
    fn name(&self) -> &'static str {
        "BarometerRetries"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if config.load::<RequestAttempts>().is_some_and(|made| made.attempts() > 1) {
            count(Metric::Retries, 1);
        }
        Ok(())
    }
}
