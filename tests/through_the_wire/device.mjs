// A device on Node's http2: opens the downchannel, waits for Hello, uploads paced sound until StopCapture comes on the
// downchannel, ends the upload, and prints what it got as JSON. Arguments: url, CA file, token.
import http2 from "node:http2";
import fs from "node:fs";

const [url, caFile, token] = process.argv.slice(2);
const session = http2.connect(url, { ca: fs.readFileSync(caFile) });
const headers = { authorization: `Bearer ${token}`, "user-agent": "MockMaker/NodeDevice/1.0.0 (Linux;node)" };
const seen = { goaway: false, order: [] };
session.on("goaway", () => (seen.goaway = true));

const line = session.request({ ...headers, ":path": "/v1/directives" });
line.setEncoding("utf8");
let heard = "";
line.on("data", (chunk) => {
  heard += chunk; // one directive may come in two chunks, or two in one
  if (heard.includes('"Hello"') && !seen.order.includes("hello")) speak();
  if (heard.includes('"StopCapture"') && !seen.order.includes("stop")) stop();
});

let upload, timer;
function speak() {
  seen.order.push("hello");
  const b = "node0001";
  upload = session.request({
    ...headers, ":method": "POST", ":path": "/v1/events", "content-type": `multipart/form-data; boundary=${b}`,
  });
  const event = {
    context: [],
    event: {
      header: { namespace: "SpeechRecognizer", name: "Recognize", messageId: "m1", dialogRequestId: "d1" },
      payload: { lang: "ko" },
    },
  };
  upload.write(`--${b}\r\nContent-Disposition: form-data; name="metadata"\r\n` +
    `Content-Type: application/json; charset=UTF-8\r\n\r\n${JSON.stringify(event)}\r\n--${b}\r\n` +
    `Content-Disposition: form-data; name="audio"\r\nContent-Type: application/octet-stream\r\n\r\n`);
  timer = setInterval(() => upload.write(Buffer.alloc(6400, 1)), 10); // 200 ms of sound, faster than time
  let answer = Buffer.alloc(0);
  upload.on("response", (h) => { seen.status = h[":status"]; seen.order.push("answer"); });
  upload.on("data", (chunk) => (answer = Buffer.concat([answer, chunk])));
  upload.on("end", () => {
    seen.answer = answer.length;
    session.ping((error) => {
      seen.ping = error === null;
      console.log(JSON.stringify(seen));
      line.close(http2.constants.NGHTTP2_CANCEL);
      session.close();
    });
  });
}

function stop() {
  seen.order.push("stop");
  seen.sameDialogue = heard.includes('"dialogRequestId":"d1"');
  clearInterval(timer);
  upload.end("\r\n--node0001--\r\n");
}
