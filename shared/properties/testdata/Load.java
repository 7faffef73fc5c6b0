import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;

/** Reads texts, each as its length (4 bytes, big-endian) and UTF-8 bytes; answers each with its pairs, sorted, or an error. */
class Load {
  /** Keeps the length before the bytes, so that any text can be told from the next. */
  static void write(DataOutputStream out, String text) throws IOException {
    StringBuilder whole = new StringBuilder(); // a surrogate alone becomes U+FFFD, not '?'
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
        whole.append(c).append(text.charAt(++i));
      } else {
        whole.append(Character.isSurrogate(c) ? '\uFFFD' : c);
      }
    }
    byte[] bytes = whole.toString().getBytes(StandardCharsets.UTF_8);
    out.writeInt(bytes.length);
    out.write(bytes);
  }

  public static void main(String[] args) throws IOException {
    DataInputStream in = new DataInputStream(new BufferedInputStream(System.in));
    DataOutputStream out = new DataOutputStream(new BufferedOutputStream(System.out));
    while (true) {
      int length;
      try {
        length = in.readInt();
      } catch (EOFException end) {
        out.flush();
        return;
      }
      byte[] text = in.readNBytes(length);
      Properties properties = new Properties();
      try {
        properties.load(new StringReader(new String(text, StandardCharsets.UTF_8)));
      } catch (IllegalArgumentException malformed) {
        out.writeInt(-1);
        continue;
      }
      out.writeInt(properties.size());
      for (Map.Entry<Object, Object> pair : properties.entrySet()) {
        write(out, (String) pair.getKey());
        write(out, (String) pair.getValue());
      }
    }
  }
}
