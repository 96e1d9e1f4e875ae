/* A device under test, tested from C with libcurl. Ends with 0, or with 1 and why.
 *
 *   cc -std=c11 -Wall -Wextra -Werror -o test-device test-device.c -lcurl
 *   ./test-device URL CA_FILE CONTROL_URL SCENARIO_FILE [EXPECTED]     (all in the server's ready file)
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct text {
    char *bytes;
    size_t size;
};

static size_t append(char *data, size_t size, size_t count, void *to)
{
    struct text *text = to;
    char *more = realloc(text->bytes, text->size + size * count + 1);
    if (more == NULL)
        return 0;
    memcpy(more + text->size, data, size * count);
    text->bytes = more;
    text->size += size * count;
    text->bytes[text->size] = '\0';
    return size * count;
}

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why != NULL ? why : "");
    exit(1);
}

/* Asks the server; when it is not as it should be, says why and ends the test. */
static void ask(const char *control, const char *method, const char *where, const char *type, const char *body)
{
    char url[1024];
    char header[128];
    struct text answer = {NULL, 0};
    struct curl_slist *headers = NULL;
    long status = 0;
    CURL *curl = curl_easy_init();

    snprintf(url, sizeof url, "%s%s", control, where);
    snprintf(header, sizeof header, "content-type: %s", type);
    headers = curl_slist_append(headers, header);
    headers = curl_slist_append(headers, "accept: application/json, text/plain");
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, append);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    CURLcode code = curl_easy_perform(curl);
    if (code != CURLE_OK)
        fail(where, curl_easy_strerror(code));
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status / 100 != 2)
        fail(where, answer.bytes);
    free(answer.bytes);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
}

static char *whole_file(const char *path)
{
    static char text[65536];
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail("cannot read", path);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

/* One request of the device: HTTP/2, all on one connection. */
static CURL *request(const char *url, const char *path, const char *ca_file, struct curl_slist *headers, struct text *to)
{
    char whole[1024];
    CURL *curl = curl_easy_init();
    snprintf(whole, sizeof whole, "%s%s", url, path);
    curl_easy_setopt(curl, CURLOPT_URL, whole);
    curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(curl, CURLOPT_PIPEWAIT, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, append);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, to);
    return curl;
}

/* Runs the device until it has heard something, at the most a minute. */
static void run_until(CURLM *device, const struct text *heard, const char *what)
{
    int running = 1;
    for (int turn = 0; turn < 6000 && running > 0; turn++) {
        curl_multi_perform(device, &running);
        if (heard->bytes != NULL && strstr(heard->bytes, what) != NULL)
            return;
        curl_multi_poll(device, NULL, 0, 10, NULL);
    }
    fail("the device did not hear", what);
}

int main(int count, char **words)
{
    if (count < 5)
        fail("usage", "test-device URL CA_FILE CONTROL_URL SCENARIO_FILE [EXPECTED]");
    const char *url = words[1], *ca_file = words[2], *control = words[3];
    const char *expected = count > 5 ? words[5] : "SpeechRecognizer.Recognize";
    static char sound[32000]; /* a second of it, silent */
    char token[40], asked[1024];

    snprintf(token, sizeof token, "c-device-%ld", (long)time(NULL)); /* its own, so that tests see nothing of each other */
    curl_global_init(CURL_GLOBAL_ALL);
    snprintf(asked, sizeof asked, "/v1/devices/%s/scenario", token);
    ask(control, "PUT", asked, "application/yaml", whole_file(words[4]));

    /* What stands here for the device under test: the downchannel, then an event with sound. */
    struct text downchannel = {NULL, 0}, answer = {NULL, 0};
    snprintf(asked, sizeof asked, "authorization: Bearer %s", token);
    struct curl_slist *headers = curl_slist_append(NULL, asked);
    headers = curl_slist_append(headers, "user-agent: MyMaker/MyDevice/1.0.0 (Linux;c)");
    CURLM *device = curl_multi_init();
    CURL *line = request(url, "/v1/directives", ca_file, headers, &downchannel);
    curl_multi_add_handle(device, line);
    run_until(device, &downchannel, "\"Hello\"");

    CURL *event = request(url, "/v1/events", ca_file, headers, &answer);
    curl_mime *parts = curl_mime_init(event);
    curl_mimepart *part = curl_mime_addpart(parts);
    curl_mime_name(part, "metadata");
    curl_mime_type(part, "application/json; charset=UTF-8");
    curl_mime_data(part,
                   "{\"context\": [], \"event\": {\"header\": {\"namespace\": \"SpeechRecognizer\", \"name\": \"Recognize\","
                   " \"messageId\": \"m-1\", \"dialogRequestId\": \"d-1\"}, \"payload\": {\"lang\": \"ko\","
                   " \"profile\": \"CLOSE_TALK\", \"format\": \"AUDIO_L16_RATE_16000_CHANNELS_1\"}}}",
                   CURL_ZERO_TERMINATED);
    part = curl_mime_addpart(parts);
    curl_mime_name(part, "audio");
    curl_mime_type(part, "application/octet-stream");
    curl_mime_data(part, sound, sizeof sound);
    curl_easy_setopt(event, CURLOPT_MIMEPOST, parts);
    curl_multi_add_handle(device, event);
    run_until(device, &answer, "들었어요");

    /* Something from the cloud, whenever the test wants it. */
    snprintf(asked, sizeof asked, "{\"directive\": \"Notifier.ClearIndicator\", \"to\": {\"device\": \"%s\"}}", token);
    ask(control, "POST", "/v1/push", "application/json", asked);
    run_until(device, &downchannel, "\"ClearIndicator\"");

    snprintf(asked, sizeof asked, "{\"device\": \"%s\", \"filter\": \"%s\", \"times\": 1}", token, expected);
    ask(control, "POST", "/v1/verify", "application/json", asked);
    snprintf(asked, sizeof asked, "{\"device\": \"%s\", \"filter\": \"upload seconds=1\", \"times\": 1}", token);
    ask(control, "POST", "/v1/verify", "application/json", asked);
    snprintf(asked, sizeof asked, "{\"device\": \"%s\"}", token);
    ask(control, "POST", "/v1/verify/no-unmatched", "application/json", asked);

    curl_multi_remove_handle(device, event);
    curl_multi_remove_handle(device, line);
    curl_easy_cleanup(event);
    curl_easy_cleanup(line);
    curl_multi_cleanup(device);
    curl_mime_free(parts);
    curl_slist_free_all(headers);
    free(downchannel.bytes);
    free(answer.bytes);
    curl_global_cleanup();
    puts("ok");
    return 0;
}
