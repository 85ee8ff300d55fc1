// One message by nodemailer as published: what an application on Node.js does.
// Reads a JSON object from stdin: module, host, port, ca, user, secret, mechanism, from, to, attachment, messages; one line of JSON out.
'use strict';
const { readFileSync } = require('node:fs');

const wanted = JSON.parse(readFileSync(0, 'utf8'));
const nodemailer = require(wanted.module);
const auth = wanted.mechanism === 'XOAUTH2'
    ? { type: 'OAuth2', user: wanted.user, accessToken: wanted.secret }
    : { user: wanted.user, pass: wanted.secret };
const transport = nodemailer.createTransport({
    host: wanted.host,
    port: wanted.port,
    name: 'client.example.net',
    secure: false,
    requireTLS: true,
    tls: { ca: readFileSync(wanted.ca) },
    auth,
    authMethod: wanted.mechanism === 'XOAUTH2' ? undefined : wanted.mechanism || undefined,
    pool: wanted.messages > 1,
    maxConnections: 3,
});

async function main() {
    const one = (number) => transport.sendMail({
        from: { name: 'Büro', address: wanted.from },
        to: wanted.to,
        subject: `by nodemailer: Größe ${number}`,
        text: 'Hello,\nan attachment.\n.\n',
        attachments: [{ filename: 'scan.pdf', content: Buffer.from(wanted.attachment, 'base64'), contentType: 'application/pdf' }],
    });
    const sent = await Promise.all(Array.from({ length: wanted.messages }, (_, number) => one(number)));
    transport.close();
    return { sent: sent.map((info) => info.response) };
}

main().catch((error) => ({ error: error.response || error.message, code: error.code, status: error.responseCode || null }))
    .then((found) => console.log(JSON.stringify(found)));
