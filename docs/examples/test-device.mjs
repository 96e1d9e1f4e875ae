// A device under test, tested from Node: only its own modules. Ends with 0, or with 1 and why.
// EXPECTED is what the device has to say; set it to something else to see how a test fails, after WITHIN seconds.
import { spawn } from "node:child_process";
import fs from "node:fs";
import http2 from "node:http2";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const work = fs.mkdtempSync(path.join(os.tmpdir(), "mockcic-"));
const server = spawn("mockcic", ["serve", "--port", "0", "--ready-file", `${work}/ready.json`], { stdio: "ignore" });
async function test() {
  while (!fs.existsSync(`${work}/ready.json`)) await sleep(50);
  const ready = JSON.parse(fs.readFileSync(`${work}/ready.json`));

  // Asks the server; when it is not as it should be, throws with the text that says why.
  async function ask(method, where, body, type = "application/json") {
    const answer = await fetch(ready.control_url + where, {
      method,
      headers: { "content-type": type, accept: "application/json, text/plain" },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(await answer.text());
    return answer.json();
  }

  // A token of its own, and a scenario of its own before the device comes.
  const token = "node-device-0001";
  await ask("PUT", `/v1/devices/${token}/scenario`, fs.readFileSync(`${here}/lamp.yaml`, "utf8"), "application/yaml");

  const device = new Device(ready.url, fs.readFileSync(ready.ca_file), token);
  try {
    await device.heard('"Hello"');
    await device.say("불 켜 줘");
    await ask("POST", "/v1/wait", {
      device: token,
      within: Number(process.env.WITHIN ?? 10),
      filter: { name: "TextRecognizer.Recognize", "payload.text": process.env.EXPECTED ?? "불 켜 줘" },
    });

    // Something from the cloud, whenever the test wants it.
    const pushed = await ask("POST", "/v1/push", {
      directive: "Clova.RenderText",
      payload: { text: "안녕" },
      to: { device: token },
    });
    if (pushed.count !== 1) throw new Error(JSON.stringify(pushed));
    await device.heard("안녕");

    await ask("POST", "/v1/verify/order", { device: token, filters: ["Clova.Hello", "event", "DeviceControl.TurnOn"] });
    await ask("POST", "/v1/verify/no-unmatched", { device: token });
    await ask("POST", "/v1/verify/no-findings", { device: token });
  } finally {
    device.close();
  }
}

// What stands here for the device under test.
class Device {
  #text = "";
  #waiting = [];

  constructor(url, ca, token) {
    this.headers = { authorization: `Bearer ${token}`, "user-agent": "MyMaker/MyDevice/1.0.0 (Linux;node)" };
    this.session = http2.connect(url, { ca });
    this.line = this.session.request({ ...this.headers, ":path": "/v1/directives" });
    this.line.setEncoding("utf8");
    this.line.on("data", (chunk) => {
      this.#text += chunk;
      this.#waiting = this.#waiting.filter(({ what, done }) => !this.#text.includes(what) || done());
    });
  }

  heard(what) {
    return new Promise((done) => (this.#text.includes(what) ? done() : this.#waiting.push({ what, done })));
  }

  say(text) {
    const header = { namespace: "TextRecognizer", name: "Recognize", messageId: "m-1", dialogRequestId: "d-1" };
    const metadata = JSON.stringify({ context: [], event: { header, payload: { text } } });
    const stream = this.session.request({
      ...this.headers,
      ":method": "POST",
      ":path": "/v1/events",
      "content-type": "multipart/form-data; boundary=b1",
    });
    stream.end(
      '--b1\r\nContent-Disposition: form-data; name="metadata"\r\n' +
        `Content-Type: application/json; charset=UTF-8\r\n\r\n${metadata}\r\n--b1--\r\n`,
    );
    return new Promise((done, fail) => stream.on("end", done).on("error", fail).resume());
  }

  close() {
    this.session.destroy();
  }
}

let code = 1;
try {
  await test();
  console.log("ok");
  code = 0;
} catch (error) {
  console.error(error.message);
} finally {
  server.kill();
  fs.rmSync(work, { recursive: true });
}
process.exit(code);
