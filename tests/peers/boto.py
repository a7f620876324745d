"""Reads the simulated CloudWatch and CloudWatch Logs with boto3, whose parsers nobody here wrote, and prints what it saw.

Usage: boto.py ENDPOINT START_IN_MILLISECONDS
"""

import json
import sys
import urllib.error
import urllib.request

import boto3
from botocore import model, parsers
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

endpoint, start = sys.argv[1], int(sys.argv[2])
group = "/ecs/my-api"
arn = f"arn:aws:logs:us-east-1:123456789012:log-group:{group}"
config = Config(region_name="us-east-1", inject_host_prefix=False, retries={"total_max_attempts": 1})


def client(service):
    keys = {"aws_access_key_id": "REHEARSAL", "aws_secret_access_key": "rehearsal"}
    return boto3.client(service, endpoint_url=endpoint, config=config, **keys)


# Left to itself boto3 speaks JSON to CloudWatch, which is not simulated; it has the protocol of the Rust SDK as well.
logs, of_itself = client("logs"), client("cloudwatch")
model.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS = ("smithy-rpc-v2-cbor",)
cloudwatch = client("cloudwatch")


def refused(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        response = error.response
        status = response["ResponseMetadata"]["HTTPStatusCode"]
        told = [response["Error"]["Code"], status, bool(response["Error"]["Message"])]
        return told + [response["queryCompileError"]["location"]["startCharOffset"]] if "queryCompileError" in response else told
    return None


def events(**arguments):
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=start - 1_800_000, **arguments)
    return [event for page in pages for event in page["events"]]


def tail(updates):
    """What a session says: the kinds of its first events, and how it ended."""
    stream, heard = logs.start_live_tail(logGroupIdentifiers=[arn])["responseStream"], []
    try:
        for event in stream:
            heard += list(event)
            if "sessionUpdate" in event:
                event["sessionUpdate"]["sessionMetadata"]["sampled"]
                assert all(isinstance(line["message"], str) for line in event["sessionUpdate"]["sessionResults"])
            if len(heard) > updates:
                break
    except EventStreamError as error:
        heard.append(error.response["Error"]["Code"])
    stream.close()
    return heard


def elsewhere(protocol, headers, body):
    """How an older protocol of CloudWatch is turned away, as its own parser reads it."""
    request = urllib.request.Request(endpoint + "/", data=body, headers=headers, method="POST")
    try:
        urllib.request.urlopen(request)
    except urllib.error.HTTPError as error:
        response = {"status_code": error.code, "headers": dict(error.headers), "body": error.read()}
        return [error.code, parsers.create_parser(protocol).parse(response, None)["Error"]["Code"]]
    return None


def window(query):
    return {"logGroupName": group, "startTime": start // 1000 - 1_800, "endTime": start // 1000, "queryString": query}


alarms = cloudwatch.get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm", "CompositeAlarm"], PaginationConfig={"PageSize": 3})
alarms = [alarm["AlarmName"] for page in alarms for kind in ("MetricAlarms", "CompositeAlarms") for alarm in page.get(kind, [])]
dimensions = [{"Name": "ServiceName", "Value": "my-api"}, {"Name": "ClusterName", "Value": "eks-prod"}]
metric = {"Namespace": "AWS/ECS", "MetricName": "CPUUtilization", "Dimensions": dimensions}
data = cloudwatch.get_metric_data(
    StartTime=start // 1000 - 1_800,
    EndTime=start // 1000,
    MetricDataQueries=[
        {"Id": "m1", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Average"}},
        {"Id": "e1", "Expression": "m1 / 2"},
    ],
)["MetricDataResults"]
history = cloudwatch.describe_alarm_history(AlarmName="my-api-oomkilled")["AlarmHistoryItems"]

print(json.dumps({
    "kills": len(events(filterPattern="?OOMKilled ?\"Memory cgroup out of memory\"", endTime=start)),
    "errors": len(events(filterPattern="%ERROR|WARN%", endTime=start)) > 0,
    "broken": tail(9),
    "tail": tail(3),
    "alarms": len(alarms),
    "values": [data[0]["Values"][0], round(data[1]["Values"][0], 6), len(data[0]["Values"])],
    "history": [item["HistoryItemType"] for item in history][-1],
    "refused": {
        "pattern": refused(logs.filter_log_events, logGroupName=group, filterPattern="a.b"),
        "group": refused(logs.filter_log_events, logGroupName="/nope"),
        "query": refused(logs.start_query, **window("stats count(*) by bin(soon)")),
        "session": refused(logs.start_live_tail, logGroupIdentifiers=[group]),
        "throttled": refused(logs.describe_log_streams, logGroupName=group),
        "expired": refused(logs.describe_log_groups),
        "operation": refused(logs.delete_log_group, logGroupName=group),
        "token": refused(cloudwatch.describe_alarms, NextToken="nonsense"),
        "expression": refused(
            cloudwatch.get_metric_data, StartTime=start // 1000 - 60, EndTime=start // 1000, MetricDataQueries=[{"Id": "e1", "Expression": "1 + 1"}]
        ),
        "denied": refused(cloudwatch.list_metrics),
        "unknown": refused(cloudwatch.list_dashboards),
        "protocol": refused(of_itself.describe_alarms),
    },
    "elsewhere": {
        "query": elsewhere("query", {"content-type": "application/x-www-form-urlencoded"}, b"Action=DescribeAlarms&Version=2010-08-01"),
        "json": elsewhere("json", {"x-amz-target": "GraniteServiceVersion20100801.DescribeAlarms", "content-type": "application/x-amz-json-1.0"}, b"{}"),
    },
}))
