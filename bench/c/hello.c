/* The least a CGI program can answer. */
#include <stdio.h>

int main(void)
{
    fputs("Content-Type: text/plain; charset=utf-8\r\n"
          "Content-Length: 6\r\n"
          "\r\n"
          "hello\n",
          stdout);
    return 0;
}
