// Streams a WAV file, or raw PCM16 from stdin, to the server, and prints what it hears.
//
//	go mod init client && go get github.com/gorilla/websocket && go build -o client client.go
//	./client recording.wav
//	./client -real-time recording.wav
//	arecord -q -t raw -f S16_LE -r 16000 -c 1 | ./client -rate 16000 -
//
// Finals go to stdout, a line each. Partials go to stderr, on one line that is written anew. Ctrl-C ends the audio,
// not the program: what was said so far still becomes a final. Where a proxy asks for a password, the variable
// STT_AUTHORIZATION holds the Authorization header: "Bearer ...", "Basic ...". Exit codes: 0 all was heard, 1 it was
// not, 2 usage.
package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

const (
	framesPerSecond = 10                // messages with audio
	readyTimeout    = 120 * time.Second // a full server answers after its own, shorter timeout; this is for one that hangs
	longestWait     = 60 * time.Second  // between two tries, whatever the server asks for
)

// message is what the server sends; each kind uses some of the fields.
type message struct {
	Type           string  `json:"type"`
	Text           string  `json:"text"`
	SupportedRates []int   `json:"supported_rates"`
	Code           string  `json:"code"`
	Message        string  `json:"message"`
	RetryAfterMs   float64 `json:"retry_after_ms"`
}

// busyError: the server is full, or asked too often; it said when to come again.
type busyError struct {
	text string
	wait time.Duration
}

func (e busyError) Error() string { return e.text }

// refusal is what an error of the server means for whoever wants a session.
func refusal(told message) error {
	text := told.Code + ": " + told.Message
	if told.RetryAfterMs == 0 {
		return errors.New(text)
	}
	return busyError{text, min(time.Duration(told.RetryAfterMs*float64(time.Millisecond)), longestWait)}
}

func min(a, b time.Duration) time.Duration { // built in from Go 1.21 on
	if a < b {
		return a
	}
	return b
}

// session is a connection with one reader and, guarded by a lock, several writers.
type session struct {
	conn   *websocket.Conn
	lock   sync.Mutex
	isOver atomic.Bool // no more audio is to be sent
}

func (s *session) send(kind int, data []byte) error {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.conn.WriteMessage(kind, data)
}

func (s *session) sendJSON(value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return s.send(websocket.TextMessage, data)
}

func (s *session) stop() { // of an ended connection, the reader knows why
	_ = s.sendJSON(map[string]string{"type": "stop"})
}

// open makes a session that is ready for audio of this rate.
func open(url string, rate int) (*session, error) {
	headers := http.Header{}
	if secret := os.Getenv("STT_AUTHORIZATION"); secret != "" {
		headers.Set("Authorization", secret)
	}
	conn, answer, err := websocket.DefaultDialer.Dial(url, headers)
	if err != nil {
		if answer == nil {
			return nil, fmt.Errorf("cannot connect to %s: %w", url, err)
		}
		// Refused by HTTP, before there is a WebSocket: 403, 404, 429, 503.
		var told message
		if json.NewDecoder(answer.Body).Decode(&told) != nil || told.Code == "" {
			return nil, fmt.Errorf("the server refused: HTTP %s", answer.Status)
		}
		return nil, refusal(told)
	}
	_ = conn.SetReadDeadline(time.Now().Add(readyTimeout))
	var ready message // comes when there is a place for us
	if err := conn.ReadJSON(&ready); err != nil {
		conn.Close()
		return nil, fmt.Errorf("the server did not become ready: %w", err)
	}
	_ = conn.SetReadDeadline(time.Time{})
	if ready.Type == "error" {
		conn.Close()
		return nil, refusal(ready)
	}
	isSupported := false
	for _, each := range ready.SupportedRates {
		isSupported = isSupported || each == rate
	}
	if !isSupported {
		conn.Close()
		return nil, fmt.Errorf("the server takes %v Hz, and this audio has %d Hz", ready.SupportedRates, rate)
	}
	made := &session{conn: conn}
	return made, made.sendJSON(map[string]any{"type": "configure", "sample_rate": rate})
}

// openSession does the same; where the server is busy, after some waiting.
func openSession(url string, rate, tries int) (*session, error) {
	for attempt := 1; ; attempt++ {
		made, err := open(url, rate)
		var busy busyError
		if err == nil || !errors.As(err, &busy) {
			return made, err
		}
		if attempt >= tries {
			return nil, fmt.Errorf("%w (%d tries)", err, tries)
		}
		fmt.Fprintf(os.Stderr, "%v (try %d of %d in %v)\n", err, attempt+1, tries, busy.wait)
		time.Sleep(busy.wait)
	}
}

// sendAll sends audio until it ends, or the session is over; then `stop`.
func (s *session) sendAll(audio io.Reader, rate int, isPaced bool) {
	defer s.stop()
	frame := make([]byte, 2*(rate/framesPerSecond))
	started := time.Now()
	for i := 0; ; i++ {
		n, err := io.ReadFull(audio, frame)
		if n == 0 || s.isOver.Load() {
			return
		}
		if isPaced {
			time.Sleep(time.Until(started.Add(time.Duration(i) * time.Second / framesPerSecond)))
		}
		if s.send(websocket.BinaryMessage, frame[:n]) != nil || err != nil {
			return
		}
	}
}

// printAll prints what comes until the server closes; an error unless everything was heard.
func (s *session) printAll() error {
	var failure error
	for {
		var told message
		if err := s.conn.ReadJSON(&told); err != nil {
			switch {
			case failure != nil:
				return failure
			case websocket.IsCloseError(err, websocket.CloseNormalClosure):
				return nil
			case websocket.IsCloseError(err, websocket.CloseGoingAway):
				return errors.New("the server shut down; the text ends where it did")
			}
			return fmt.Errorf("the connection broke off: %w", err)
		}
		switch told.Type {
		case "partial":
			showPartial(told.Text)
		case "final":
			showPartial("")
			if told.Text != "" { // the last one may be empty: nothing was left to say
				fmt.Println(told.Text)
			}
		case "error":
			if failure == nil {
				failure = fmt.Errorf("%s: %s", told.Code, told.Message)
			}
			// After some errors the server closes by itself, after others it would go on. We do not; what was
			// heard before still comes as a final.
			s.isOver.Store(true)
			s.stop()
		}
	}
}

var isTerminal = func() bool {
	info, err := os.Stderr.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}()

// showPartial writes the line of partials anew; where stderr is no terminal, a line for each.
func showPartial(text string) {
	if !isTerminal {
		if text != "" {
			fmt.Fprintf(os.Stderr, "... %s\n", text)
		}
		return
	}
	columns, err := strconv.Atoi(os.Getenv("COLUMNS"))
	if err != nil || columns < 2 {
		columns = 80
	}
	shown := []rune(text)
	if len(shown) > columns-1 { // a line that wraps could not be taken back
		shown = shown[len(shown)-(columns-1):]
	}
	fmt.Fprintf(os.Stderr, "\r\x1b[K%s", string(shown))
}

// readWav gives the rate and the samples of a WAV file.
func readWav(name string) (int, []byte, error) {
	file, err := os.ReadFile(name)
	if err != nil {
		return 0, nil, err
	}
	if len(file) < 12 || string(file[:4]) != "RIFF" || string(file[8:12]) != "WAVE" {
		return 0, nil, fmt.Errorf("%s is no WAV file", name)
	}
	var coding, channels, bits uint16
	var rate uint32
	for at := 12; at+8 <= len(file); {
		chunk, size := string(file[at:at+4]), int(binary.LittleEndian.Uint32(file[at+4:]))
		body := file[at+8:]
		if size < len(body) {
			body = body[:size]
		}
		if chunk == "fmt " && len(body) >= 16 {
			coding, channels = binary.LittleEndian.Uint16(body), binary.LittleEndian.Uint16(body[2:])
			rate, bits = binary.LittleEndian.Uint32(body[4:]), binary.LittleEndian.Uint16(body[14:])
			if coding == 0xfffe && len(body) >= 26 { // WAVE_FORMAT_EXTENSIBLE
				coding = binary.LittleEndian.Uint16(body[24:])
			}
		} else if chunk == "data" {
			if coding != 1 || channels != 1 || bits != 16 {
				return 0, nil, fmt.Errorf("%s is not mono PCM of 16 bit; convert it: "+
					"ffmpeg -i %s -ar 16000 -ac 1 -c:a pcm_s16le mono.wav", name, name)
			}
			return int(rate), body, nil
		}
		at += 8 + size + size%2 // chunks are padded to even sizes
	}
	return 0, nil, fmt.Errorf("%s has no samples", name)
}

func run() error {
	url := flag.String("url", "ws://127.0.0.1:9876/v1/ws", "the server")
	rate := flag.Int("rate", 16000, "of raw PCM16, in Hz")
	isPaced := flag.Bool("real-time", false, "send a file as fast as it would be spoken")
	tries := flag.Int("tries", 5, "where the server is busy")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: client [options] AUDIO (a WAV file, or - for raw PCM16 from stdin)")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	var audio io.Reader = os.Stdin
	if flag.Arg(0) != "-" {
		ofFile, samples, err := readWav(flag.Arg(0))
		if err != nil {
			return err
		}
		*rate, audio = ofFile, bytes.NewReader(samples)
	}
	opened, err := openSession(*url, *rate, *tries)
	if err != nil {
		return err
	}
	defer opened.conn.Close()
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	go func() {
		<-interrupts
		opened.isOver.Store(true)
		opened.stop()
		signal.Stop(interrupts) // a second one ends the program
	}()
	go opened.sendAll(audio, *rate, *isPaced)
	return opened.printAll()
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "failed:", err)
		os.Exit(1)
	}
}
