#!/bin/sh
# A device under test, tested from a shell with curl. Ends with 0, or with 1 and why.
# EXPECTED is what the device has to say; set it to something else to see how a test fails. It is waited for WITHIN seconds.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
device=; server=; api=

# At the end, also of a test that fails: what happened is kept, for `mockcic show` and `mockcic report`; nothing else is.
end() {
    [ -z "$api" ] || curl -sS -o "${TRACE:-$work/run.cictrace}" "$api/v1/trace?device=$token" || true
    kill "$device" "$server" 2>/dev/null || true
    rm -rf "$work"
}
trap end EXIT

# A server on free ports, and where it is.
mockcic serve --port 0 --ready-file "$work/ready.json" > "$work/log.txt" &
server=$!
until [ -s "$work/ready.json" ]; do kill -0 "$server"; sleep 0.1; done
api=$(sed 's/.*"control_url": "\([^"]*\)".*/\1/' "$work/ready.json")

# METHOD PATH [BODY [TYPE]]: asks the server; when it is not as it should be, says why and ends the test.
ask() {
    if ! curl --fail-with-body -sS -o "$work/answer" -X "$1" "$api$2" -H 'accept: application/json, text/plain' \
        -H "content-type: ${4:-application/json}" ${3:+--data-binary "$3"}; then
        cat "$work/answer" >&2
        exit 1
    fi
}

# The device gets a token of its own, and a scenario of its own before it comes.
token=shell-device-0001
ask PUT "/v1/devices/$token/scenario" "@$here/lamp.yaml" application/yaml

# The device under test: here the simulated one; yours gets the same address, CA and token.
mockcic device --ready-file "$work/ready.json" --token "$token" --text "불 켜 줘" --pace 0 --stay 600 > "$work/device.txt" &
device=$!

ask POST /v1/wait '{"device": "'$token'", "within": '"${WITHIN:-30}"', "filter": "TextRecognizer.Recognize"}'
ask POST /v1/verify '{"device": "'$token'", "filter": {"name": "TextRecognizer.Recognize", "payload.text": "'"${EXPECTED:-불 켜 줘}"'"}}'
ask POST /v1/wait '{"device": "'$token'", "within": '"${WITHIN:-30}"', "filter": "DeviceControl.ActionExecuted"}'

# Something from the cloud, whenever the test wants it.
ask POST /v1/push '{"directive": "Clova.RenderText", "payload": {"text": "안녕"}, "to": {"device": "'$token'"}}'
grep -q '"count":1' "$work/answer" || { cat "$work/answer" >&2; exit 1; }

ask POST /v1/verify '{"device": "'$token'", "filter": "DeviceControl.TurnOn", "times": 1}'
ask POST /v1/verify/no-unmatched '{"device": "'$token'"}'
ask POST /v1/verify/no-findings '{"device": "'$token'"}'

echo "ok"
