"""Makes files of every container and codec that FFmpeg's and libsndfile's encoders can write.

Two codecs have no encoder here: AMR-WB and Speex. Their files are small and kept as text: `speechlike(0.6)`
at 16 kHz by vo-amrwbenc (12.65 kbit/s), and at 8 kHz by speexenc (quality 4).
"""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import av
import numpy as np

from tests.support.audio_files import RATE, by_soundfile, speechlike

SECONDS = 0.7
SECONDS_KEPT = 0.6  # of the files that are kept


def encoded(
    samples: np.ndarray, rate: int, container: str, codec: str, sample_format: str, **options: str
) -> bytes:
    """A mono file by FFmpeg's libraries. `samples` has the shape (n_samples,)."""
    scale = {"u8": (np.uint8, 127, 128), "s16": (np.int16, 32_767, 0), "s32": (np.int32, 2**31 - 256, 0)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        with av.open(path, "w", format=container, options=options) as sink:
            stream = sink.add_stream(codec, rate=rate, layout="mono")
            stream.codec_context.format = sample_format
            stream.bit_rate = 6_300 if codec == "g723_1" else 32_000 if codec == "g726" else 64_000
            for start in range(0, samples.size, 960):
                part = samples[start : start + 960]
                kind, factor, zero = scale.get(sample_format.removesuffix("p"), (np.float32, 1, 0))
                if kind is not np.float32:
                    part = np.round(part.astype(np.float64) * factor + zero)
                frame = av.AudioFrame.from_ndarray(part.astype(kind).reshape(1, -1), sample_format, "mono")
                frame.sample_rate, frame.pts = rate, start
                sink.mux(stream.encode(frame))
            sink.mux(stream.encode(None))
        return path.read_bytes()


def _by_libsndfile(container: str, subtype: str, rate: int = RATE) -> bytes:
    return by_soundfile(speechlike(SECONDS, rate), rate, container, subtype)


def _by_ffmpeg(container: str, codec: str, sample_format: str, rate: int = 44_100, **options: str) -> bytes:
    return encoded(speechlike(SECONDS, rate), rate, container, codec, sample_format, **options)


def _all() -> dict[str, Callable[[], bytes]]:
    made: dict[str, Callable[[], bytes]] = {}
    for container, subtypes in {
        "AIFF": ("PCM_S8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW", "IMA_ADPCM"),
        "AU": ("PCM_S8", "PCM_16", "PCM_24", "FLOAT", "ULAW", "ALAW"),
        "CAF": ("PCM_S8", "PCM_16", "PCM_24", "FLOAT", "ULAW", "ALAW", "ALAC_16", "ALAC_24"),
        "W64": ("PCM_U8", "PCM_16", "PCM_24", "FLOAT", "ULAW", "ALAW", "IMA_ADPCM", "MS_ADPCM", "GSM610"),
        "WAV": ("IMA_ADPCM", "MS_ADPCM", "GSM610", "G721_32"),
    }.items():
        for subtype in subtypes:
            made[f"{container} {subtype}"] = partial(_by_libsndfile, container, subtype)
    for container, codec, sample_format, rate in (
        ("amr", "libopencore_amrnb", "s16", 8_000), ("3gp", "libopencore_amrnb", "s16", 8_000),
        ("caf", "libopencore_amrnb", "s16", 8_000),
        ("ipod", "alac", "s16p", 44_100), ("mov", "alac", "s32p", 44_100),
        ("matroska", "alac", "s16p", 44_100), ("mov", "pcm_s16le", "s16", 44_100),
        ("mov", "pcm_s24be", "s32", 44_100), ("mov", "pcm_f32be", "flt", 44_100),
        ("mov", "pcm_alaw", "s16", 8_000), ("mov", "adpcm_ima_qt", "s16p", 44_100),
        ("mov", "ac3", "fltp", 48_000), ("mov", "eac3", "fltp", 48_000), ("mov", "mp2", "s16", 48_000),
        ("matroska", "pcm_s16le", "s16", 16_000), ("matroska", "ac3", "fltp", 48_000),
        ("matroska", "mp2", "s16", 48_000), ("matroska", "wavpack", "s16p", 44_100),
        ("matroska", "tta", "s16", 44_100),
        ("asf", "wmav1", "fltp", 44_100), ("asf", "wmav2", "fltp", 44_100), ("asf", "mp3", "fltp", 44_100),
        ("asf", "pcm_s16le", "s16", 44_100),
        ("avi", "pcm_s16le", "s16", 44_100), ("avi", "pcm_mulaw", "s16", 8_000),
        ("avi", "adpcm_ms", "s16", 22_050),
        ("avi", "mp2", "s16", 44_100), ("avi", "mp3", "fltp", 44_100), ("avi", "ac3", "fltp", 48_000),
        ("avi", "aac", "fltp", 44_100),
        ("mpegts", "aac", "fltp", 48_000), ("mpegts", "mp2", "s16", 48_000),
        ("mpegts", "ac3", "fltp", 48_000), ("mpegts", "eac3", "fltp", 48_000),
        ("mpegts", "libopus", "flt", 48_000),
        ("ac3", "ac3", "fltp", 48_000), ("ac3", "ac3", "fltp", 44_100), ("eac3", "eac3", "fltp", 48_000),
        ("mp2", "mp2", "s16", 48_000), ("wv", "wavpack", "s16p", 44_100), ("tta", "tta", "s16", 44_100),
        ("ogg", "flac", "s16", 44_100), ("wav", "g722", "s16", 16_000), ("wav", "g726", "s16", 8_000),
        ("wav", "g723_1", "s16", 8_000), ("wav", "mp3", "fltp", 44_100),
    ):  # fmt: skip
        name = f"{container} {codec}" + (f" {rate}" if container == "ac3" else "")
        made[name] = partial(_by_ffmpeg, container, codec, sample_format, rate)
    made["mpegts aac in LATM"] = partial(_by_ffmpeg, "mpegts", "aac", "fltp", 48_000, mpegts_flags="latm")
    made["amr wide band"] = amr_wide_band
    made["ogg speex"] = ogg_speex
    return made


def amr_wide_band() -> bytes:
    """AMR-WB of 0.6 s."""
    return base64.b85decode("".join(_AMR_WB))


def ogg_speex() -> bytes:
    """Ogg/Speex of 0.6 s, narrow band."""
    return base64.b85decode("".join(_SPEEX))


_AMR_WB = (
    "BOyUeQY}|P3Kad)$92nHVzB9e5}F?3=PZN(z(mklMAQ&S(aM5U@OTuSR-PP3Id<4=9n%6rAofR{otZsf*U@m=6dd$~a!802^",
    "iqkwSTq*N9!*U}Tct)1#y#Gt_+Xo+U}26Fpl^rZ6!j2Q2P8gvN#9CGWm*FUESC&#uc<8tPS;9*ub$RA7!>&qbG&dIUdbO$^h",
    "{%b?OIS3ql#%`P!-mIXw$4xgm4t$3``BMlupST&hB_y^6(kv9i%T!oO{`RnQd!?`I`6?;RZ(*xHjIHehN-IdxpFi?5#peEvg",
    "zaYO>r&Rrke+6!8j2r7;@U$XiUBczeOgCtGE6RgEoBj!8At@N;~na1^x$G01(`(@5S6>}C6gO91q>ZRI=!i@ePE)koyfEC>|",
    "A1RkL4hWnTvjEp8zgofYd*)~tpl%eAV()t9K4F)(AsRA2Lc3{j(T#Y3kQ^gu*W3``ctL8{6I0bJg)6NiZ6p%s@o^T%zh>D1F",
    "PQ!xCuE^pDXQe&$u#kAhu}{MUm=x&%5|Z<FBFUPbPgG;m4W0#wzEO{e588ZQNr<WZgdi02fCNL)P8>-ctqhap0sNT8HfA8e1",
    "Uq9vx=Iry;^n{;;nD09nL#KZtz-KV7Xd~9Q2m++0O0gmSW$yi1gQov6z{-)x+S3y;)y7NLl*^NTTV}du{FCx!++&i6F{4$C=",
    "~zBfBW;%V&JXUy23hyEkV?uNL<MfN;sQ>79qrh;ZPL*&TsDH!Ehpo@9hWW4xjG1Ke|?cE3R3Y#yWU6No~j!{>)?mp>1FzjqW",
    "(#;-u-m6D3g}7lm3`00n4OGQrNU6#mLo01NLhA_!}32j?NJi2Q}kJQo1rvRxpl?9hoA02KeqTmS>jU?Yw03SZ?!QFDgaSzq=",
    "`6BGO$FQxDR04NmZ$V|-i^FSgFto;Yq0V-Tr=R;jLIOl2I+N9A9gM=^?|HwxXo4_h0r%N>87KSa)r;T(0bT6<eZ0X^Kc1X=o",
    "6#IrhA}2~%qNuHR55*u)VX)_(I>}>Xs(~_7Mu5?i$Q1v^I~0Y2LgcQkq$DMJ(qu4tZ64Qy0tU!zwL=v76|fZVhC8UK`yir<e",
    ";Z%r5cr4u|LXs*_j>j|Y<xZN+U|%H|HLDF&oC0?sDZ4d=KD}o1z{BFZj|FjaXIAWHJ+$Y6z7C2Z0c7qqKtY2U-bw1Pbd9<?`",
    "J1JCYDoh>i|yDP!#`!CuU>gV4{kz+uzcQ;%Z<2ZE0Th@oEMf98+F(5MUJlgcS&b=y0Nr{qG0mZP0FK7;NU%@?38U^8TJe7hc",
    "c",
)
_SPEEX = (
    "PiJRS00IC200000000;nPZ$6I002h7{bB)7Q*dQvcpxAkF)lJLF#rGn0000000000000000RR91Pyhe`Kpy}A000001ONa40",
    "RR91|NsC0pa1{>000000RR91000000000000000PiJRS0000000000000;nPZ$9J004nBNH75)7ytkOMQ&qnWMyO^cWHEJAX",
    "9K<Wq2SlE;24L00000PiJRS00h7i00000000;nPZ$CK000|MJ_;Wc6ciK`6ciK`6ciK`6ciK`6ciK`6ciK`6ciK`6ciss1uy",
    "_P&Tw!+gee>#00bp9d;lAi1C){>+0952?11_2a)T(C(NP<eC8jO$_3j4bCaB5ngXX`OSD_o2UAP#j&w9R6SrVTaQBI+(A$=Q",
    "|U8jeMn`(CVM)RX>e4%yrI=vf{535GLL#%#tU&~KC4XVxKYN{KGSF}7xMfW2unR24Z)v3!v-Fh2}uc@06fcfO|W=&JM5AW-k",
    "L-ih$Z@Qd(MyUy^&!R2}jN7|_Fq$5oXQ697TccF&wz`^F++KXoty><IXTPZl3qlnS!2^B=kdlt<Knfd^k)a(<)+!8o@_hvNl",
    "nb5r@SGcygR*Tf^uoRX#HE&$<0ku#Xt){1gO*R3Q*Ok^gz(exc3eDcx!4$22^6h^{Qynwr5$zu{tk?P{9hPX2@s4WDOrP}Hw",
    "|IgwX9t1yEPb8i4c2TDL6B(99Xu=l8&ck+6x#|i3gZO_DX}4=Lq)}R#2ShJ1Q7di3cYH_{r9f@ze>)$WBb?y}=k%h~Phdq(a",
    "uLAHb2>br6i`{C^lkh}M^UfUy$+^<;_2AJk`$s;(GBh@>Y206_(S_Z<P%K+vJ2W}_HHfYSUq&U5@9msR%BbCS4$y0#cZfbrW",
    "o&PrYZ{2cDeasO&Wi|86w2@$;|Ik4THf2eNtgM{W(CeRvI2?blBApCMu_GD%^iB@ZC9RM0u2}K7fIs8Mgzo^d1i0IVio(URO",
    "aYlz833>Fb^a4j8s8TCsI~W>7@li)IV#_1HG=RC(K%X%0sVf>z=`MSH=s=Ud6ulY$`Vw(4f9V>_5sn)*&U7t)bg!<Kf)k{Re",
    "F*",
)
# By name: a function that makes the file.
FORMATS: dict[str, Callable[[], bytes]] = _all()
# One of each container and codec; the others vary what these try.
VARIED: tuple[str, ...] = (
    "AIFF PCM_16", "AIFF PCM_24", "AIFF ALAW", "AU PCM_16", "CAF PCM_24", "CAF ALAC_16", "W64 PCM_16",
    "W64 GSM610", "WAV MS_ADPCM", "WAV IMA_ADPCM", "WAV GSM610", "amr libopencore_amrnb",
    "3gp libopencore_amrnb", "ipod alac", "mov pcm_s24be", "mov adpcm_ima_qt", "mov eac3",
    "matroska pcm_s16le", "matroska wavpack", "asf wmav2", "avi pcm_mulaw", "avi mp3", "mpegts mp2",
    "mpegts eac3", "mpegts aac in LATM", "ac3 ac3 48000", "mp2 mp2", "wv wavpack", "tta tta", "ogg flac",
    "wav g722", "wav g726", "wav g723_1", "wav mp3", "amr wide band", "ogg speex",
)  # fmt: skip
