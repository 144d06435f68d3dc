// Writes NAME.br beside each text file of the built parts; the server hands it to browsers that take it. Files whose .br
// is newer are left alone.
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";

const compress = promisify(brotliCompress);
const web = join(dirname(fileURLToPath(import.meta.url)), "..");
const TEXT = /\.(js|mjs|css|html|svg|json|webmanifest|txt)$/;

for (const dist of ["workspace/dist", "widget/dist"]) {
  const names = await readdir(join(web, dist), { recursive: true }).catch(() => []);
  for (const name of names.filter((each) => TEXT.test(each))) {
    const file = join(web, dist, name);
    const made = await stat(`${file}.br`).catch(() => null);
    if (made && made.mtimeMs >= (await stat(file)).mtimeMs) continue;
    const bytes = await readFile(file);
    const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
    const packed = await compress(bytes, { params });
    if (packed.length < bytes.length) await writeFile(`${file}.br`, packed);
  }
}
