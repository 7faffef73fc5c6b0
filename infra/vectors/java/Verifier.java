import java.io.IOException;
import java.io.StringReader;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/**
 * Evaluates license keys as described in shared/license/testdata/README.md, with Java 8 alone: an example for license
 * plugins. It keeps no state between keys and is safe for concurrent use.
 */
public final class Verifier {

  /** The server; null, or 0 lines of code, is not checked. */
  public static final class Instance {
    public String server;
    public long loc;
    public String edition;
    public Collection<String> plugins;
    public Instant now;
  }

  /** The result: codes in the order of the README, and the properties of a readable key. */
  public static final class Verdict {
    public final List<String> reasons = new ArrayList<>();
    public final List<String> warnings = new ArrayList<>();
    public Map<String, String> terms;
  }

  private static final String DOMAIN = "sonarqube-license-v1\n";
  private static final String KEY_START = "Rm9ybWF0P";
  private static final List<String> NAMES = Arrays.asList("Format", "Kid", "Id", "Type", "Organization", "Server", "Edition", "Plugins",
    "Languages", "Features", "MaxLoc", "Support", "NotBefore", "Expiration", "Issued");
  private static final List<String> OPTIONAL = Arrays.asList("Languages", "Features", "NotBefore");
  private static final String IDENTIFIER = "[A-Za-z0-9._-]{1,64}";
  private static final String BRIDGE_KID = "([A-Za-z0-9._-]+-)?bridge(-[0-9]+)?";
  private static final String DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}";
  private static final Map<String, String> FORMS = new HashMap<>();

  static {
    FORMS.put("Format", "1");
    FORMS.put("Kid", IDENTIFIER);
    FORMS.put("Id", IDENTIFIER);
    FORMS.put("Type", "EVALUATION|PRODUCTION|STAGING");
    FORMS.put("Server", "[0-9]{14}|1[0-9a-f]{14}|[A-Za-z0-9_-]{20}|[0-9A-F]{8}-(1[0-9a-f]{14}|[A-Za-z0-9_-]{20})");
    FORMS.put("Edition", "community|developer|enterprise|datacenter");
    FORMS.put("Plugins", IDENTIFIER + "(," + IDENTIFIER + ")*");
    FORMS.put("Languages", FORMS.get("Plugins"));
    FORMS.put("Features", FORMS.get("Plugins"));
    FORMS.put("MaxLoc", "[1-9][0-9]{0,18}");
    FORMS.put("Support", "true|false");
    FORMS.put("NotBefore", DAY);
    FORMS.put("Expiration", DAY);
    FORMS.put("Issued", DAY);
  }

  private static final class Kid {
    PublicKey key;
    BigInteger order;
    Collection<String> types;
    LocalDate from;
    LocalDate through;
    Integer maxDays;
  }

  private static final class Unreadable extends Exception {
    private static final long serialVersionUID = 1;

    Unreadable(String code) {
      super(code);
    }
  }

  /** A parsed key text. */
  private static final class Document {
    final Map<String, String> terms = new LinkedHashMap<>();
    String signed;
    byte[] signature;

    LocalDate day(String name) {
      return terms.containsKey(name) ? LocalDate.parse(terms.get(name)) : null;
    }
  }

  private final Map<String, Kid> kids = new HashMap<>();

  /** Adds a key of the published key set, member by member; those from the first day on may be null. */
  public void add(String kid, String x, String y, Collection<String> types, String from, String through, Integer maxDays)
    throws GeneralSecurityException {
    if (kid.matches(BRIDGE_KID) != (maxDays != null) || maxDays != null && (maxDays < 1 || maxDays > 14)) {
      throw new IllegalArgumentException(kid + ": max_days is for bridge keys, from 1 to 14");
    }
    AlgorithmParameters curve = AlgorithmParameters.getInstance("EC");
    curve.init(new ECGenParameterSpec("secp256r1"));
    ECParameterSpec parameters = curve.getParameterSpec(ECParameterSpec.class);
    ECPoint point = new ECPoint(new BigInteger(1, Base64.getUrlDecoder().decode(x)), new BigInteger(1, Base64.getUrlDecoder().decode(y)));
    Kid added = new Kid();
    added.key = KeyFactory.getInstance("EC").generatePublic(new ECPublicKeySpec(point, parameters));
    added.order = parameters.getOrder();
    added.types = types;
    added.from = from == null ? null : LocalDate.parse(from);
    added.through = through == null ? null : LocalDate.parse(through);
    added.maxDays = maxDays;
    kids.put(kid, added);
  }

  /** Evaluates a key text for a server. */
  public Verdict judge(String text, Instance at) throws GeneralSecurityException {
    Verdict verdict = new Verdict();
    Document document;
    try {
      document = read(trim(text, true));
    } catch (Unreadable unreadable) {
      verdict.reasons.add(unreadable.getMessage());
      return verdict;
    }
    verdict.terms = document.terms;
    judgeSignature(document, verdict);
    judgeServer(document, at, verdict);
    judgeCalendar(document, at, verdict);
    judgeLimits(document, at, verdict);
    return verdict;
  }

  private static Document read(String text) throws Unreadable {
    if (text.isEmpty()) {
      throw new Unreadable("empty");
    }
    int n = 0;
    while (n < text.length() && isBase64(text.charAt(n))) {
      n++;
    }
    boolean toTheEnd = text.substring(n).matches("=*");
    if (!text.startsWith(KEY_START)) {
      throw new Unreadable(toTheEnd ? "wrong-format" : "not-base64");
    }
    String incomplete = toTheEnd ? "truncated" : "not-base64";
    byte[] bytes = Base64.getDecoder().decode(text.substring(0, n % 4 == 1 ? n - 1 : n));
    String raw = new String(bytes, StandardCharsets.ISO_8859_1);

    int firstEnd = raw.indexOf('\n');
    if (firstEnd < 0) {
      throw new Unreadable(incomplete);
    }
    if (!raw.substring(0, firstEnd).equals("Format=1")) {
      throw new Unreadable("unknown-format");
    }
    int signature = raw.indexOf("\nSignature=") + 1;
    int end = signature > 0 ? raw.indexOf('\n', signature) + 1 : 0;
    if (end == 0) {
      throw new Unreadable(incomplete);
    }
    String rest = raw.substring(end);
    String key = Base64.getEncoder().encodeToString(Arrays.copyOf(bytes, end));
    if (!text.equals(key)) {
      throw new Unreadable(around(text, key, rest));
    }

    Document document = new Document();
    document.signed = raw.substring(0, signature);
    readTerms(document);
    document.signature = readSignature(raw.substring(signature + "Signature=".length(), end - 1));
    return document;
  }

  private static boolean isBase64(char c) {
    return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '+' || c == '/';
  }

  private static String around(String text, String key, String rest) {
    boolean begins = text.startsWith(key);
    if (rest.startsWith("Format=") || begins && trim(text.substring(key.length()), false).startsWith(KEY_START)) {
      return "several-keys";
    }
    if (begins || !rest.isEmpty()) {
      return "text-after-key";
    }
    return key.startsWith(text) ? "truncated" : "not-base64";
  }

  private static String trim(String text, boolean bothEnds) {
    return text.replaceAll(bothEnds ? "^[ \t\r\n]+|[ \t\r\n]+$" : "^[ \t\r\n]+", "");
  }

  /** Parses the properties, writes them again and compares, which refuses everything that is not exactly in the format. */
  private static void readTerms(Document document) throws Unreadable {
    Properties properties = new Properties();
    try {
      properties.load(new StringReader(document.signed));
    } catch (IOException | IllegalArgumentException malformedEscape) {
      throw new Unreadable("wrong-format");
    }
    StringBuilder again = new StringBuilder();
    for (String name : NAMES) {
      String value = properties.getProperty(name, "");
      if (value.isEmpty() && OPTIONAL.contains(name)) {
        continue;
      }
      if (value.isEmpty() || !wellFormed(name, value)) {
        throw new Unreadable("wrong-format");
      }
      document.terms.put(name, value);
      again.append(name).append('=').append(escape(value)).append('\n');
    }
    if (!again.toString().equals(document.signed)) {
      throw new Unreadable("wrong-format");
    }
  }

  private static boolean wellFormed(String name, String value) {
    String form = FORMS.get(name);
    if (form == null) {
      return new String(value.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8).equals(value); // no unpaired surrogate
    }
    if (!value.matches(form)) {
      return false;
    }
    try {
      if (form.equals(DAY)) {
        LocalDate.parse(value);
      }
      if (name.equals("MaxLoc")) {
        Long.parseLong(value);
      }
    } catch (DateTimeParseException | NumberFormatException e) {
      return false;
    }
    if (form.equals(FORMS.get("Plugins"))) {
      List<String> list = Arrays.asList(value.split(","));
      return new HashSet<>(list).size() == list.size();
    }
    return true;
  }

  private static String escape(String value) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (' ' < c && c <= '~' && c != '\\' || c == ' ' && i > 0) {
        out.append(c);
      } else {
        out.append(String.format("\\u%04X", (int) c));
      }
    }
    return out.toString();
  }

  private static byte[] readSignature(String encoded) throws Unreadable {
    byte[] signature;
    try {
      signature = Base64.getUrlDecoder().decode(encoded);
    } catch (IllegalArgumentException e) {
      throw new Unreadable("wrong-format");
    }
    if (signature.length != 64 || !Base64.getUrlEncoder().withoutPadding().encodeToString(signature).equals(encoded)) {
      throw new Unreadable("wrong-format");
    }
    return signature;
  }

  private void judgeSignature(Document document, Verdict verdict) throws GeneralSecurityException {
    Kid kid = kids.get(document.terms.get("Kid"));
    if (kid == null) {
      verdict.reasons.add("unknown-kid");
      return;
    }
    if (!verifies(kid, document)) {
      verdict.reasons.add("bad-signature");
    }
    if (!kid.types.contains(document.terms.get("Type"))) {
      verdict.reasons.add("type-not-allowed");
    }
    LocalDate issued = document.day("Issued");
    if (kid.from != null && issued.isBefore(kid.from) || kid.through != null && issued.isAfter(kid.through)) {
      verdict.reasons.add("kid-out-of-use");
    }
    if (kid.maxDays != null && !lasts(document, kid.maxDays)) {
      verdict.reasons.add("term-too-long");
    }
  }

  /** Tells whether a key names its first day, and is valid on so many days at most, both ends included. */
  private static boolean lasts(Document document, int maxDays) {
    LocalDate notBefore = document.day("NotBefore");
    return notBefore != null && ChronoUnit.DAYS.between(notBefore, document.day("Expiration")) < maxDays;
  }

  private static boolean verifies(Kid kid, Document document) throws GeneralSecurityException {
    BigInteger r = new BigInteger(1, Arrays.copyOfRange(document.signature, 0, 32));
    BigInteger s = new BigInteger(1, Arrays.copyOfRange(document.signature, 32, 64));
    if (r.signum() == 0 || s.signum() == 0 || r.compareTo(kid.order) >= 0 || s.compareTo(kid.order.shiftRight(1)) > 0) {
      return false;
    }
    Signature verifier = Signature.getInstance("SHA256withECDSA");
    verifier.initVerify(kid.key);
    verifier.update((DOMAIN + document.signed).getBytes(StandardCharsets.US_ASCII));
    try {
      return verifier.verify(der(r, s));
    } catch (SignatureException e) {
      return false;
    }
  }

  /** Returns SEQUENCE { INTEGER r, INTEGER s }, the form that Java 8 accepts; neither is longer than 33 bytes. */
  private static byte[] der(BigInteger r, BigInteger s) {
    byte[] a = r.toByteArray();
    byte[] b = s.toByteArray();
    byte[] out = new byte[6 + a.length + b.length];
    out[0] = 0x30;
    out[1] = (byte) (4 + a.length + b.length);
    out[2] = 0x02;
    out[3] = (byte) a.length;
    System.arraycopy(a, 0, out, 4, a.length);
    out[4 + a.length] = 0x02;
    out[5 + a.length] = (byte) b.length;
    System.arraycopy(b, 0, out, 6 + a.length, b.length);
    return out;
  }

  private static void judgeServer(Document document, Instance at, Verdict verdict) {
    String licensed = document.terms.get("Server");
    if (at.server == null || at.server.equals(licensed)) {
      return;
    }
    if (!dataset(at.server).equals(dataset(licensed))) {
      verdict.reasons.add("wrong-server");
    } else if (licensed.equals(dataset(licensed))) {
      verdict.warnings.add("server-upgraded");
    } else {
      verdict.reasons.add("new-address");
    }
  }

  private static String dataset(String server) {
    boolean prefixed = (server.length() == 24 || server.length() == 29) && server.charAt(8) == '-';
    return prefixed ? server.substring(9) : server;
  }

  private void judgeCalendar(Document document, Instance at, Verdict verdict) {
    Kid kid = kids.get(document.terms.get("Kid"));
    boolean bridge = kid != null && kid.maxDays != null;
    if (at.now == null) {
      if (bridge) {
        verdict.warnings.add("bridge-key");
      }
      return;
    }
    LocalDate today = at.now.atOffset(ZoneOffset.UTC).toLocalDate();
    LocalDate notBefore = document.day("NotBefore");
    LocalDate expiration = document.day("Expiration");
    if (notBefore != null && today.isBefore(notBefore)) {
      verdict.reasons.add("not-yet-valid");
    }
    if (today.isAfter(expiration)) {
      verdict.reasons.add("expired");
    } else if (bridge) {
      verdict.warnings.add("bridge-key");
    } else if (!today.plusDays(30).isBefore(expiration)) {
      verdict.warnings.add("expires-soon");
    }
  }

  private static void judgeLimits(Document document, Instance at, Verdict verdict) {
    long maxLoc = Long.parseLong(document.terms.get("MaxLoc"));
    if (at.loc > maxLoc) {
      verdict.reasons.add("loc-exceeded");
    } else if (at.loc > maxLoc / 10 * 9 + maxLoc % 10 * 9 / 10) {
      verdict.warnings.add("loc-nearly-reached");
    }
    if (at.plugins != null && !Arrays.asList(document.terms.get("Plugins").split(",")).containsAll(at.plugins)) {
      verdict.reasons.add("plugin-not-covered");
    }
    if (at.edition != null && !at.edition.equals(document.terms.get("Edition"))) {
      verdict.reasons.add("wrong-edition");
    }
  }
}
