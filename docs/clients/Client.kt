// Streams a WAV file, or raw PCM16 from stdin, to the server, and prints what it hears.
// Needs Java 11 or newer, and org.json (Maven org.json:json; on Debian libandroid-json-java).
//
//   kotlinc Client.kt -cp json.jar -include-runtime -d client.jar
//   java -cp client.jar:json.jar ClientKt recording.wav
//   java -cp client.jar:json.jar ClientKt --real-time recording.wav
//   arecord -q -t raw -f S16_LE -r 16000 -c 1 | java -cp client.jar:json.jar ClientKt --rate 16000 -
//
// Options: --url ws://127.0.0.1:9876/v1/ws, --rate 16000 (of raw PCM16), --real-time, --tries 5.
// Finals go to stdout, a line each. Partials go to stderr, on one line that is written anew. Ctrl-C ends the audio:
// what was said so far still becomes a final. Where a proxy asks for a password, the variable STT_AUTHORIZATION holds
// the Authorization header: "Bearer ...", "Basic ...". Exit codes: 0 all was heard, 1 it was not, 2 usage, 130 Ctrl-C.

import java.io.File
import java.io.IOException
import java.io.InputStream
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.net.http.WebSocket
import java.nio.ByteBuffer
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionException
import java.util.concurrent.CompletionStage
import java.util.concurrent.ExecutionException
import java.util.concurrent.TimeUnit
import java.util.concurrent.TimeoutException
import javax.sound.sampled.AudioFormat
import javax.sound.sampled.AudioSystem
import javax.sound.sampled.UnsupportedAudioFileException
import kotlin.system.exitProcess
import org.json.JSONException
import org.json.JSONObject

const val FRAMES_PER_SECOND = 10 // messages with audio
const val READY_TIMEOUT_S = 120L // a full server answers after its own, shorter timeout; this is for one that hangs
const val LONGEST_WAIT_MS = 60_000L // between two tries, whatever the server asks for
const val STOP = """{"type":"stop"}"""

val SECRET: String? = System.getenv("STT_AUTHORIZATION")

/** Why there is no text, or not all of it. */
class Failed(message: String) : Exception(message)

/** The server is full, or asked too often; it said when to come again. */
class Busy(message: String, retryAfterMs: Long) : Exception(message) {
    val waitMs = minOf(retryAfterMs, LONGEST_WAIT_MS)
}

/** What an error of the server means for whoever wants a session. */
fun refusal(told: JSONObject): Exception {
    val message = "${told.getString("code")}: ${told.getString("message")}"
    return if (told.has("retry_after_ms")) Busy(message, told.getLong("retry_after_ms")) else Failed(message)
}

/** One session: says when it is ready, prints what comes, says when and how it ended. */
class Session : WebSocket.Listener {
    val ready = CompletableFuture<JSONObject>()
    val ended = CompletableFuture<String>() // empty where everything was heard, else why it was not
    @Volatile var isOver = false // no more audio is to be sent
    private lateinit var socket: WebSocket
    private var failure: String? = null
    private val text = StringBuilder()

    override fun onOpen(webSocket: WebSocket) {
        socket = webSocket
        webSocket.request(1)
    }

    override fun onText(webSocket: WebSocket, data: CharSequence, last: Boolean): CompletionStage<*>? {
        text.append(data)
        if (last) {
            val message = JSONObject(text.toString())
            text.setLength(0)
            if (ready.isDone) show(message) else ready.complete(message)
        }
        webSocket.request(1)
        return null
    }

    override fun onClose(webSocket: WebSocket, statusCode: Int, reason: String): CompletionStage<*>? {
        end(
            failure ?: when (statusCode) {
                1000 -> ""
                1001 -> "the server shut down; the text ends where it did"
                else -> "the connection broke off ($statusCode $reason)"
            }
        )
        return null
    }

    override fun onError(webSocket: WebSocket, error: Throwable) = end(failure ?: "the connection broke off: $error")

    private fun end(how: String) {
        isOver = true
        ready.completeExceptionally(Failed(if (how == "") "the server closed before it was ready" else how))
        ended.complete(how)
    }

    private fun show(message: JSONObject) {
        when (message.getString("type")) {
            "partial" -> showPartial(message.getString("text"))
            "final" -> {
                showPartial("")
                val text = message.getString("text")
                if (text != "") println(text) // the last one may be empty: nothing was left to say
            }
            "error" -> {
                failure = failure ?: "${message.getString("code")}: ${message.getString("message")}"
                isOver = true // whoever sends the audio says `stop` then; what was heard still comes as a final
            }
        }
    }

    /** Send, unless the connection has ended: then `ended` says so. Waits while the network is slower than we are. */
    @Synchronized
    fun send(data: Any) {
        try {
            if (data is String) socket.sendText(data, true).join()
            else socket.sendBinary(ByteBuffer.wrap(data as ByteArray), true).join()
        } catch (error: CompletionException) {
            isOver = true
        }
    }

    fun close() = socket.abort()
}

/** Why a handshake failed: Java does not give the body of a refusal, so the same address is asked by plain HTTP. */
fun reason(url: String, cause: Throwable): Exception {
    val answer = try {
        val request = HttpRequest.newBuilder(URI(url.replaceFirst("ws", "http")))
        if (SECRET != null) request.header("Authorization", SECRET)
        HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofString())
    } catch (error: IOException) {
        return Failed("cannot connect to $url: $cause")
    }
    return try {
        val told = JSONObject(answer.body())
        if (told.getString("code") == "upgrade_required") Failed("$url does not take the WebSocket handshake")
        else refusal(told)
    } catch (error: JSONException) {
        Failed("$url is no WebSocket: it answers with HTTP ${answer.statusCode()}")
    }
}

/** A session that is ready for audio of this rate. */
fun open(url: String, rate: Int): Session {
    val session = Session()
    try {
        val builder = HttpClient.newHttpClient().newWebSocketBuilder()
        if (SECRET != null) builder.header("Authorization", SECRET)
        builder.buildAsync(URI(url), session).join()
    } catch (error: CompletionException) {
        throw reason(url, error.cause ?: error)
    } catch (error: IllegalArgumentException) {
        throw Failed("cannot connect to $url: ${error.message}")
    }
    val ready = try {
        session.ready.get(READY_TIMEOUT_S, TimeUnit.SECONDS) // comes when there is a place for us
    } catch (error: TimeoutException) {
        throw Failed("the server did not become ready")
    } catch (error: ExecutionException) {
        throw error.cause!!
    }
    if (ready.getString("type") == "error") {
        session.close()
        throw refusal(ready)
    }
    val rates = ready.getJSONArray("supported_rates")
    if ((0 until rates.length()).none { rates.getInt(it) == rate }) {
        session.close()
        throw Failed("the server takes $rates Hz, and this audio has $rate Hz")
    }
    session.send("""{"type":"configure","sample_rate":$rate}""")
    return session
}

/** The same; where the server is busy, after some waiting. */
fun openSession(url: String, rate: Int, tries: Int): Session {
    var attempt = 1
    while (true) {
        try {
            return open(url, rate)
        } catch (busy: Busy) {
            if (attempt >= tries) throw Failed("${busy.message} ($tries tries)")
            attempt++
            System.err.println("${busy.message} (try $attempt of $tries in ${busy.waitMs / 1000.0} s)")
            Thread.sleep(busy.waitMs)
        }
    }
}

/** Send audio until it ends, or the session is over; then `stop`. */
fun sendAll(session: Session, audio: InputStream, rate: Int, isPaced: Boolean) {
    val started = System.nanoTime()
    var n = 0L
    while (true) {
        val frame = audio.readNBytes(2 * (rate / FRAMES_PER_SECOND))
        if (frame.isEmpty() || session.isOver) break
        if (isPaced) {
            val dueNs = started + n * 1_000_000_000L / FRAMES_PER_SECOND
            TimeUnit.NANOSECONDS.sleep(dueNs - System.nanoTime())
        }
        session.send(frame)
        n++
    }
    session.send(STOP)
}

/** Write the line of partials anew; where the output is no terminal, write a line for each. */
fun showPartial(text: String) {
    if (System.console() == null) {
        if (text != "") System.err.println("... $text")
        return
    }
    val columns = System.getenv("COLUMNS")?.toIntOrNull() ?: 80
    System.err.print("\r\u001b[K${text.takeLast(columns - 1)}") // a line that wraps could not be taken back
    System.err.flush()
}

/** The samples of a WAV file, and their rate. */
fun readWav(name: String): Pair<InputStream, Int> {
    val stream = try {
        AudioSystem.getAudioInputStream(File(name))
    } catch (error: IOException) {
        throw Failed("$name cannot be read: ${error.message}")
    } catch (error: UnsupportedAudioFileException) {
        throw Failed("$name is no WAV file")
    }
    val format = stream.format
    val isPcm16 = format.encoding == AudioFormat.Encoding.PCM_SIGNED && format.sampleSizeInBits == 16
    if (!isPcm16 || format.channels != 1 || format.isBigEndian) {
        throw Failed("$name is not mono PCM of 16 bit; convert it: ffmpeg -i $name -ar 16000 -ac 1 -c:a pcm_s16le mono.wav")
    }
    return Pair(stream, format.sampleRate.toInt())
}

fun usage(): Nothing {
    System.err.println("usage: ClientKt [--url URL] [--rate HZ] [--real-time] [--tries N] AUDIO (a WAV file, or -)")
    exitProcess(2)
}

fun main(arguments: Array<String>) {
    var url = "ws://127.0.0.1:9876/v1/ws"
    var rate = 16_000
    var tries = 5
    var isPaced = false
    var name: String? = null
    val given = arguments.iterator()
    while (given.hasNext()) {
        val each = given.next()
        if (each == "--real-time") isPaced = true
        else if (each.startsWith("--") && given.hasNext()) {
            val value = given.next()
            when (each) {
                "--url" -> url = value
                "--rate" -> rate = value.toIntOrNull() ?: usage()
                "--tries" -> tries = value.toIntOrNull() ?: usage()
                else -> usage()
            }
        } else if (name == null && !each.startsWith("--")) name = each
        else usage()
    }
    if (name == null) usage()
    try {
        val (audio, rateOfAudio) = if (name == "-") Pair(System.`in`, rate) else readWav(name)
        val session = openSession(url, rateOfAudio, tries)
        Runtime.getRuntime().addShutdownHook(Thread {
            if (!session.ended.isDone) { // Ctrl-C
                session.isOver = true
                session.send(STOP)
                session.ended.get(10, TimeUnit.SECONDS)
            }
        })
        sendAll(session, audio, rateOfAudio, isPaced)
        val how = session.ended.get()
        if (how != "") throw Failed(how)
    } catch (failed: Failed) {
        System.err.println("failed: ${failed.message}")
        exitProcess(1)
    }
    exitProcess(0)
}
