// A stranger's web site on this machine that has the widget's one line in its pages.
import { createServer } from "node:http";

/**
 * `host` is a name below localhost, so that the browser sees another site than the server's, with third-party storage
 * rules and all.
 */
export async function startSite({ widget, host = "shop.localhost", lang = "en", dir = "ltr", before = "", csp = null }) {
  const requests = [];
  const page = `<!doctype html>
<html lang="${lang}" dir="${dir}">
<head><meta charset="utf-8"><title>Acme shop</title><meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,"></head>
<body>
<main><h1>Acme shop</h1><p>Bicycles, tools and repairs.</p><a href="/second">Second page</a></main>
${before}
<script src="${widget}" async></script>
</body>
</html>`;
  const server = createServer((request, response) => {
    requests.push(request.url);
    const headers = { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" };
    if (csp) headers["content-security-policy"] = csp;
    response.writeHead(200, headers).end(page);
  });
  await new Promise((done, failed) => server.once("error", failed).listen(0, "127.0.0.1", done));
  const origin = `http://${host}:${server.address().port}`;
  return {
    origin,
    url: `${origin}/`,
    requests,
    async stop() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
